// SPDX-License-Identifier: Apache-2.0
import lambda from 'lambda';

export default { fetch: (request) => lambda.fetch(request) };
