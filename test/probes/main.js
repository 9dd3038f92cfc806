/*
 * Runs the probes: the files p0.js, p1.js.. that test/e2e/probes.sh makes of its tables, and
 * the texts of json.js. Answers in JSON, once for all. ES5 for all engines.
 */
var json = require('./json');
var count = require('./count');

function refuses(error) {
    return error instanceof SyntaxError;
}

/* What is not as it must be, given a function that makes a promise of a parsed text. */
function judge(parse) {
    var wrong = [];
    var all = [];
    function each(list, isGood, isBad) {
        list.forEach(function (text) {
            all.push(parse(text).then(function () {
                return isGood;
            }, function (error) {
                return isBad && (refuses(error) || error instanceof RangeError);
            }).then(function (isRight) {
                if (!isRight) {
                    wrong.push(text.slice(0, 40));
                }
            }));
        });
    }
    each(json.good, true, false);
    each(json.bad, false, true);
    each(json.either, true, true);
    return Promise.all(all).then(function () {
        return { count: all.length, wrong: wrong };
    });
}

function parsed(text) {
    try {
        return Promise.resolve(JSON.parse(text));
    } catch (error) {
        return Promise.reject(error);
    }
}

function parsedBody(text) {
    return new Request('https://p.test/', { method: 'POST', body: text }).json();
}

function probe(i) {
    var value;
    try {
        value = require('./p' + i)();
    } catch (error) {
        value = error && error.name ? error.name : String(error);
    }
    return Promise.resolve(value).then(String, function (error) {
        return error && error.name ? error.name : String(error);
    });
}

exports.fetch = function (request) {
    var report = {};
    var list = [];
    for (var i = 0; i < count; i++) {
        list.push(probe(i));
    }
    return Promise.all(list).then(function (values) {
        report.values = values;
        return judge(parsed);
    }).then(function (result) {
        report.json = result;
        return judge(parsedBody);
    }).then(function (result) {
        report.body = result;
        return new Response(JSON.stringify(report));
    });
};
