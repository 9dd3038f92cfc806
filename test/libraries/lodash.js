import _ from 'lodash';

export default function () {
    const people = [
        { name: 'Ada', born: 1815, at: { city: 'London' } },
        { name: 'Kurt', born: 1906, at: { city: 'Wien' } },
        { name: 'Grete', born: 1901, at: { city: 'Wien' } }
    ];
    return [
        _.groupBy(people, 'at.city'), _.sortBy(people, ['at.city', '-born']).map((p) => p.name),
        _.chunk(_.range(7), 3), _.merge({ a: { b: [1, 2] } }, { a: { b: [9], c: 3 } }),
        _.camelCase('Foo Bar--baz'), _.deburr('déjà vu'), _.kebabCase('XMLHttpRequest2'),
        _.isEqual(new Map([[1, { a: new Set([1]) }]]), new Map([[1, { a: new Set([1]) }]])),
        _.cloneDeep({ d: new Date(0), r: /x/gi, a: [, 1] }), _.words('fred, barney & pebbles'),
        _.chain([3, 1, 2]).map((n) => n * n).filter((n) => n > 1).sum().value(),
        _.set({}, 'a[0].b.c', 4), _.truncate('hi-diddly-ho there, neighborino', { length: 24 }),
        _.debounce.length, _.uniqBy([2.1, 1.2, 2.3], Math.floor), _.escape('<a href="x">&</a>'),
        _.intersectionWith([{ x: 1 }, { x: 2 }], [{ x: 2 }], _.isEqual), _.size('aπ😀')
    ];
}
