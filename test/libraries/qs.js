import qs from 'qs';

export default function () {
    return [
        qs.parse('a[b][c]=1&a[b][d]=2&e[]=x&e[]=y&f[2]=z&f[0]=w&g=%C3%A4+%26&h'),
        qs.parse('?x.y.z=1;q', { allowDots: true, ignoreQueryPrefix: true, delimiter: ';',
            strictNullHandling: true }),
        qs.parse('a[b][c][d][e][f][g][h]=deep&__proto__[x]=1&u=%E4%F6', { charset: 'iso-8859-1' }),
        qs.stringify({ a: { b: [1, { c: 'ä&=' }] }, d: null, e: new Date(0), f: undefined }),
        qs.stringify({ a: ['b', 'c'], z: 1, y: { x: 2 } }, { arrayFormat: 'brackets',
            encodeValuesOnly: true, sort: (p, q) => (p < q ? -1 : 1) }),
        qs.stringify({ '💩': '☺' }, { charsetSentinel: true, addQueryPrefix: true })
    ];
}
