/* cube3d - turns a cube in space ?n= times (50), draws its visible sides into a buffer, and
 * checks a sum over what was drawn. Does what the classic 3D cube benchmarks do. */
'use strict';

var SIZE = 64;
var CORNERS = [[-1, -1, -1], [1, -1, -1], [1, 1, -1], [-1, 1, -1],
    [-1, -1, 1], [1, -1, 1], [1, 1, 1], [-1, 1, 1]];
/* Corners of each side, anticlockwise seen from outside. */
var SIDES = [[3, 2, 1, 0], [4, 5, 6, 7], [0, 1, 5, 4], [2, 3, 7, 6], [1, 2, 6, 5],
    [0, 4, 7, 3]];

function multiply(a, b) {
    var out = [];
    for (var row = 0; row < 3; row++) {
        out.push([0, 0, 0]);
        for (var column = 0; column < 3; column++) {
            for (var k = 0; k < 3; k++) {
                out[row][column] += a[row][k] * b[k][column];
            }
        }
    }
    return out;
}

function transform(m, v) {
    return [0, 1, 2].map(function (row) {
        return m[row][0] * v[0] + m[row][1] * v[1] + m[row][2] * v[2];
    });
}

/* By 3/5 and 4/5, 5/13 and 12/13, 8/17 and 15/17: turns without sin and cos, whose last
 * bits differ between libraries. */
var TURN = multiply(multiply(
    [[1, 0, 0], [0, 4 / 5, -3 / 5], [0, 3 / 5, 4 / 5]],
    [[12 / 13, 0, 5 / 13], [0, 1, 0], [-5 / 13, 0, 12 / 13]]),
    [[15 / 17, -8 / 17, 0], [8 / 17, 15 / 17, 0], [0, 0, 1]]);

/* Perspective: the eye is 5 before the centre. */
function project(v) {
    var scale = SIZE * 0.9 / (v[2] + 5);
    return [Math.floor(SIZE / 2 + v[0] * scale), Math.floor(SIZE / 2 + v[1] * scale)];
}

/* Bresenham's line. */
function line(pixels, from, to) {
    var x = from[0];
    var y = from[1];
    var dx = Math.abs(to[0] - x);
    var dy = -Math.abs(to[1] - y);
    var stepX = x < to[0] ? 1 : -1;
    var stepY = y < to[1] ? 1 : -1;
    var error = dx + dy;
    for (;;) {
        pixels[y * SIZE + x]++;
        if (x === to[0] && y === to[1]) {
            return;
        }
        var twice = 2 * error;
        if (twice >= dy) {
            error += dy;
            x += stepX;
        }
        if (twice <= dx) {
            error += dx;
            y += stepY;
        }
    }
}

function isVisible(points) {
    var a = points[0];
    var b = points[1];
    var c = points[2];
    return (b[0] - a[0]) * (c[1] - b[1]) - (b[1] - a[1]) * (c[0] - b[0]) > 0;
}

function draw(pixels, corners) {
    var points = corners.map(project);
    SIDES.forEach(function (side) {
        var shape = side.map(function (corner) {
            return points[corner];
        });
        if (isVisible(shape)) {
            shape.forEach(function (point, i) {
                line(pixels, point, shape[(i + 1) % 4]);
            });
        }
    });
}

/* Edges of a turned cube keep their length, and opposite corners add up to nothing. */
function isCube(corners) {
    return [0, 1, 2].every(function (axis) {
        var edge = corners[1][axis] - corners[0][axis];
        return Math.abs(edge - (corners[6][axis] - corners[7][axis])) < 1e-9 &&
            Math.abs(corners[0][axis] + corners[6][axis]) < 1e-9;
    });
}

function run(turns) {
    var pixels = new Uint32Array(SIZE * SIZE);
    var corners = CORNERS;
    var sum = 0;
    for (var i = 0; i < turns; i++) {
        corners = corners.map(function (corner) {
            return transform(TURN, corner);
        });
        draw(pixels, corners);
    }
    for (var at = 0; at < pixels.length; at++) {
        sum = (sum * 31 + pixels[at]) % 1000000007;
    }
    return { isCube: isCube(corners), sum: sum };
}

var EXPECTED = { 1: 482012068, 50: 566852249, 200: 414402338 };

exports.fetch = function (request) {
    var match = /[?&]n=([0-9]+)/.exec(request.url);
    var turns = match ? Number(match[1]) : 50;
    var result = run(turns);
    var isRight = result.isCube &&
        (EXPECTED[turns] === undefined || EXPECTED[turns] === result.sum);
    return new Response('cube3d: ' + (isRight ? 'ok' : 'wrong') + ', ' + turns +
        ' turns, sum ' + result.sum + '\n', { status: isRight ? 200 : 500 });
};
