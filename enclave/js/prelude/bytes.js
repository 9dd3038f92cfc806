/* SPDX-License-Identifier: Apache-2.0 */
/* bytes.js - the methods of typed arrays that js/mujs_bytes.c leaves to JavaScript. */
(function (global, native, own) {
    'use strict';

    var generic = Array.prototype;
    var taken = ['every', 'forEach', 'indexOf', 'join', 'lastIndexOf', 'reduce', 'reduceRight',
        'reverse', 'some'];
    var names = ['Uint8Array', 'Uint8ClampedArray', 'Int8Array', 'Uint16Array', 'Int16Array',
        'Uint32Array', 'Int32Array', 'Float32Array', 'Float64Array'];

    function ascending(a, b) {
        return a - b;
    }

    names.forEach(function (name) {
        var Type = global[name];
        taken.forEach(function (method) {
            own.define(Type.prototype, method, generic[method]);
        });
        own.methods(Type.prototype, {
            toString: generic.join,
            slice: function (from, to) {
                return new Type(this.subarray(from, to));
            },
            map: function (action, self) {
                return new Type(generic.map.call(this, action, self));
            },
            filter: function (action, self) {
                return new Type(generic.filter.call(this, action, self));
            },
            fill: function (value, from, to) {
                var part = this.subarray(from, to);
                for (var i = 0; i < part.length; i++) {
                    part[i] = value;
                }
                return this;
            },
            sort: function (compare) {
                this.set(generic.slice.call(this).sort(compare || ascending));
                return this;
            }
        });
    });
})
