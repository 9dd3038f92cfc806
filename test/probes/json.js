/*
 * JSON texts after RFC 8259: `good` must parse, `bad` must be a SyntaxError, of `either` the RFC
 * leaves it to the parser, but it must end well. Grown from a few parts; ES5 for all engines.
 */
var values = ['0', '-0', '1', '-1', '0.5', '-0.5', '1e5', '1E5', '1e+5', '1e-5', '1.5e300', '123456789012345678',
    '20e1', '0e1', '0e+1', '-123.456e-7', '1.7976931348623157e308', '5e-324', 'true', 'false', 'null', '""', '"a"',
    '"\\u0041"', '"\\ud83d\\ude00"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\u00e9"', '"\ud83d\ude00"', '"\u2028\u2029"',
    '"\u007f"', '"\ufeff"', '"\\u0000"', '"\\uFFFF"', '"/"', '"\'"', '[]', '{}', '[1]', '{"a":1}', '[[]]', '[{}]', '{"":0}',
    '{"a":{"b":[1,{"c":null}]}}', '{"a":1,"a":2}', '{"__proto__":1}', '{"a":"b","c":"d"}', '[1,2,3,4,5,6,7,8,9]',
    '{"\\u0061":0}', '["",""]', '[null,true,false]', '"\\uD834\\uDD1E"', '[0.0]', '[-0.0e-0]'];
var numbers = ['+1', '.5', '1.', '-', '--1', '01', '-01', '1e', '1e+', '1.e1', '0x10', '1_000', 'NaN', 'Infinity',
    '-Infinity', '1 000', '- 1', '0e', '0.', '-.5', '2.e3', '1.2.3', '1eE2', '0b1', '0o7', '012', '1a', '1e1.5', '\uff11',
    '1n', '+0', '-0x1', '-foo', '0.3e', '0.3e+', '9.e+', '++1234', '-1.0.', '1E+', '\u0661', '-2.', '0E', '0E+', '1.0e', '1.0e-',
    '2.e-3', '-NaN', 'Inf', '0.1.2', '1+2'];
var strings = ['"', '"a', "'a'", '"\\x41"', '"\\u004"', '"\\u00g1"', '"\\', '"\\"', '"\\a"', '"\\0"', '"\n"', '"\t"',
    '"\u0000"', '"\u001f"', '"\r"', '"\\\n"', '"\\u"', '"\\u{41}"', '"\\ud83d\\u"', '"a"b', '"\\U0041"', '`a`', '"\\\'"',
    '"\b"', '"\\ "', '"\\u12 4"', 'a"', '\\u0022a"', '"\\\ud83d\ude00"', '"x"x', '"\f"'];
var shapes = ['', ' ', '\n', '[', ']', '{', '}', '[1', '[1,', '[,1]', '[1,]', '[1,,2]', '[,]', '[1 2]', '[1]]', '[[1]', '{"a"}',
    '{"a":}', '{"a" 1}', '{:1}', '{"a":1,}', '{,"a":1}', '{"a":1 "b":2}', '{"a":1,,"b":2}', '{a:1}', "{'a':1}", '{1:1}',
    '{null:1}', '{"a":1}}', '{"a":1]', '[1}', '{[]:1}', '{"a"::1}', '{"a",1}', '1 2', '[1] 2', '{} []', 'tru', 'True', 'TRUE',
    'nul', 'undefined', 'truex', 'null,', '//1', '/*1*/1', '1//', '[1/**/]', '#1', '<!--1', '1;', '(1)', 'x', '\u00a01', '1\u2028',
    '\v1', '\f1', '1\u00a0', '[\u3000]', '1\u0000', '\u0000', '{"a":1;}', '[1:2]', '["a":1]', '...', '[...1]', '@', '*',
    ',', ':', '"a":1', '{{}}', '{"a":{}', '[{]', '{"a":[}', '[true,fals]', '{"a":undefined}', '[function(){}]', 'new Date', '${}',
    '[\\n]', '{"a":/x/}', '[a]', '[+]', '[-]', '{"a"=1}', '[1,\n', '["a', '[""', '[a\u00e5]', '[\u2060]', '{"b":y}', '{"a":tru}'];
var either = ['1e400', '-1e400', '1e-400', '"\\ud800"', '"\\udc00"', '"\\ud800\\ud800"', '"\\udc00\\ud800"', '"\ud800"', '"\udc00x"',
    '[' + new Array(400).join('0') + '1]', '"\\ud800x"', '123456789012345678901234567890', '"\\uDBFF\\u0041"', '\ufeff1',
    new Array(101).join('[') + new Array(101).join(']'), new Array(100001).join('['), new Array(20001).join('{"a":')];
var around = [' \t\r\n', '\n\n', '\t'];
var good = values.slice();
var bad = [];

values.forEach(function (value, i) {
    var blank = around[i % around.length];
    good.push(blank + value + blank, '[' + value + ',' + value + ']', '{"k":' + value + '}', '[ ' + value + '\n]');
    bad.push(value + ',', '[' + value, '{"k":' + value, value + ' ' + value);
});
numbers.forEach(function (text) {
    bad.push(text, '[' + text + ']', '{"k":' + text + '}');
});
strings.forEach(function (text) {
    bad.push(text, '[' + text + ']', '{' + text + ':1}');
});
bad = bad.concat(shapes);

exports.good = good;
exports.bad = bad;
exports.either = either;
