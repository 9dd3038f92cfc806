/* Schemas are compiled before they are packed: a lambda has no code from strings. */
import validate from './ajv.compiled.js';

function report(data) {
    const good = validate(data);
    return [good, (validate.errors || []).map((e) => [e.instancePath, e.keyword, e.message])];
}

export default function () {
    return [
        report({ id: 7, name: 'ok', tags: ['a', 'b'], when: '2024-02-29', more: { x: 1 } }),
        report({ id: 0.5, name: '', tags: ['a', 'a'], when: 'never', extra: true }),
        report({ id: -1, name: '😀😀😀😀😀', tags: [1], kind: 'z' }), report('no object')
    ];
}
