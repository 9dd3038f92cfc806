import { applyPatch, compare, getValueByPointer, observe, generate, validate } from
    'fast-json-patch';

export default function () {
    const before = { a: [1, 2, { 'x/y': 3 }], 'm~n': null, gone: true };
    const after = { a: [1, { 'x/y': 4 }], 'm~n': 'new', more: { deep: [] } };
    const patch = compare(before, after, true);
    const watched = JSON.parse(JSON.stringify(before));
    const observer = observe(watched);
    watched.a.push('seen');
    delete watched.gone;
    return [
        patch, applyPatch(JSON.parse(JSON.stringify(before)), patch).newDocument,
        getValueByPointer(before, '/a/2/x~1y'), generate(observer),
        applyPatch({ q: { bar: 2 } }, [{ op: 'move', from: '/q/bar', path: '/z' },
            { op: 'copy', from: '/z', path: '/q/w' }, { op: 'test', path: '/z', value: 2 }])
            .newDocument,
        validate([{ op: 'remove', path: '/none' }], { a: 1 }).name
    ];
}
