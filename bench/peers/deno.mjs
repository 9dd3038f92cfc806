// SPDX-License-Identifier: Apache-2.0
import { load, options } from './lambda.mjs';

Deno.serve({ hostname: '127.0.0.1', onListen() {}, ...options }, load(Response).fetch);
