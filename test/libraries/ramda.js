import * as R from 'ramda';

export default function () {
    const rows = [{ n: 'b', v: 2, t: ['x'] }, { n: 'a', v: 3, t: [] }, { n: 'c', v: 1, t: ['x'] }];
    const average = R.converge(R.divide, [R.sum, R.length]);
    const lens = R.lensPath(['p', 'q']);
    return [
        R.pipe(R.filter(R.where({ t: R.includes('x') })), R.sortBy(R.prop('v')), R.pluck('n'))(rows),
        average([1, 2, 3, 4]), R.over(lens, R.multiply(10), { p: { q: 4 } }),
        R.transduce(R.compose(R.map(R.inc), R.take(2)), R.flip(R.append), [], [1, 2, 3]),
        R.equals({ a: [1, { b: new Date(5) }] }, { a: [1, { b: new Date(5) }] }),
        R.toString({ a: [1, 'x', /r/g], d: new Date(0) }), R.invertObj({ a: 'x', b: 'y' }),
        R.reduceBy((a, b) => a + b.v, 0, R.path(['t', 0]), rows), R.curry((a, b) => a + b)(1)(2),
        R.evolve({ v: R.negate })(rows[0]), R.xprod([1, 2], ['a', 'b']), R.type(/x/),
        R.mergeDeepRight({ a: { b: 1, c: 2 } }, { a: { b: 9 } }), R.splitEvery(2, 'abcde')
    ];
}
