/* SPDX-License-Identifier: Apache-2.0 */
/* explain.h - the parts of the verb `policy` that read a policy. */
#pragma once

/** Runs `policy check FILE` or `policy explain FILE`; argv[0] is "policy". @return the
 * exit status. */
int tf_policy_explain(int argc, char **argv);
