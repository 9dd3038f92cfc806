/* SPDX-License-Identifier: Apache-2.0 */
/*
 * globals.js - what V8 has and a lambda must not: clocks that run, memory that no limit
 * counts, threads' tools, code that comes from elsewhere. Runs before base.js, and with it
 * lies in the snapshot that each context is a copy of; what V8 adds to a copy is taken away
 * by v8_snapshot.cc. The originals stay reachable from nowhere.
 */
(function (global, native) {
    'use strict';

    function copy(from, to, names) {
        names.forEach(function (name) {
            var property = Object.getOwnPropertyDescriptor(from, name);
            if (property !== undefined) {
                Object.defineProperty(to, name, property);
            }
        });
    }

    /* Puts `made` in the place of a constructor: same prototype, same properties. */
    function replace(name, made, names) {
        var real = global[name];
        copy(real, made, ['name', 'length'].concat(names));
        Object.defineProperty(made, 'prototype',
            { value: real.prototype, writable: false, enumerable: false, configurable: false });
        Object.defineProperty(real.prototype, 'constructor',
            { value: made, writable: true, enumerable: false, configurable: true });
        Object.defineProperty(global, name,
            { value: made, writable: true, enumerable: false, configurable: true });
    }

    /* Time stands still while code runs. */
    var now = native.now;
    var RealDate = global.Date;
    replace('Date', function Date() {
        if (new.target === undefined) {
            return new RealDate(now()).toString();
        }
        return Reflect.construct(RealDate, arguments.length === 0 ? [now()] : arguments,
            new.target);
    }, ['parse', 'UTC']);
    Object.defineProperty(global.Date, 'now',
        { value: function () {
            return now();
        }, writable: true, enumerable: false, configurable: true });

    if (global.Intl !== undefined) {
        var prototype = global.Intl.DateTimeFormat.prototype;
        var format = Object.getOwnPropertyDescriptor(prototype, 'format').get;
        var parts = prototype.formatToParts;
        var apply = Reflect.apply;
        Object.defineProperty(prototype, 'format', { get: function () {
            var bound = apply(format, this, []);
            return function (date) {
                return bound(date === undefined ? now() : date);
            };
        }, configurable: true, enumerable: false });
        Object.defineProperty(prototype, 'formatToParts',
            { value: function (date) {
                return apply(parts, this, [date === undefined ? now() : date]);
            }, writable: true, configurable: true, enumerable: false });
    }

    /* Buffers that grow take their memory past the limit. */
    var RealBuffer = global.ArrayBuffer;
    replace('ArrayBuffer', function ArrayBuffer(size) {
        if (new.target === undefined) {
            throw new TypeError('ArrayBuffer needs new');
        }
        return Reflect.construct(RealBuffer, [size], new.target);
    }, ['isView', Symbol.species]);
    delete global.ArrayBuffer.prototype.resize;
})
