/* SPDX-License-Identifier: Apache-2.0 */
/* builtin.js - which globals an engine makes of its own parts when they are touched. */
(function (global, native, own) {
    'use strict';

    function provide(names, part, words) {
        own.provide(global, '', names, part, words);
    }

    provide(['Math'], 'Math');
    provide(['Date'], 'Date');
    provide(['Map', 'Set', 'WeakMap', 'WeakSet'], 'Map');
    provide(['WeakRef', 'FinalizationRegistry'], 'WeakRef');
    provide(['Proxy'], 'Proxy');
    provide(['Uint8Array', 'Uint8ClampedArray', 'Int8Array', 'Uint16Array', 'Int16Array',
        'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array', 'BigInt64Array',
        'BigUint64Array', 'DataView'], 'Views', ['8Array', '8ClampedArray', '16Array',
        '32Array', '64Array', 'DataView', 'bytes', 'crypto',
        'TextEncoder']); /* the last three make some */
})
