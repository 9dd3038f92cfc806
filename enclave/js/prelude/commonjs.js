/* SPDX-License-Identifier: Apache-2.0 */
/* commonjs.js - `require` over the program's files. */
(function (global, native, own) {
    'use strict';

    /* Asked for here, so that they are made before any lambda, and regular expressions,
     * which bring much with them, are not for `run`. */
    var compile = native.compile;
    var has = Object.prototype.hasOwnProperty;
    var lastIndexOf = String.prototype.lastIndexOf;
    var slice = String.prototype.slice;
    var loaded = {};

    function resolve(folder, name) {
        var parts = folder === '' ? [] : folder.split('/');
        var path;
        if (!/^\.{1,2}\//.test(name)) {
            throw new Error('cannot find module ' + JSON.stringify(name) +
                ': only relative paths name one');
        }
        name.split('/').forEach(function (step) {
            if (step === '..') {
                parts.pop();
            } else if (step !== '.' && step !== '') {
                parts.push(step);
            }
        });
        path = parts.join('/');
        var tries = [path, path + '.js', path + '.json', path + '/index.js'];
        for (var i = 0; i < tries.length; i++) {
            if (native.has(tries[i])) {
                return tries[i];
            }
        }
        throw new Error('cannot find module ' + JSON.stringify(name));
    }

    function run(path) {
        var slash = lastIndexOf.call(path, '/');
        var folder = slash < 0 ? '' : slice.call(path, 0, slash);
        var module = { exports: {}, id: path, loaded: false };
        if (has.call(loaded, path)) {
            return loaded[path].exports;
        }
        loaded[path] = module;
        try {
            if (slice.call(path, -5) === '.json') {
                module.exports = JSON.parse(native.source(path));
            } else {
                compile(path).call(module.exports, module.exports, function (name) {
                    return run(resolve(folder, String(name)));
                }, module, path, folder);
            }
        } catch (e) {
            delete loaded[path];
            throw e;
        }
        module.loaded = true;
        return module.exports;
    }

    own.run = run;
})
