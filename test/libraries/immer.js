import { produce, produceWithPatches, enablePatches, enableMapSet, applyPatches, original,
    isDraft, freeze, current } from 'immer';

enablePatches();
enableMapSet();

export default function () {
    const base = freeze({ list: [{ n: 1 }, { n: 2 }], map: new Map([['k', { v: 1 }]]), keep: {} },
        true);
    const [next, patches, inverse] = produceWithPatches(base, (draft) => {
        draft.list[0].n += 10;
        draft.list.push({ n: 3 });
        draft.map.get('k').v = 2;
        delete draft.list[1].n;
    });
    let caught = '';
    try {
        produce(base, (draft) => ({ other: (draft.list = []) }));
    } catch (error) {
        caught = error instanceof Error;
    }
    return [
        next.list, [...next.map], patches, inverse, next.keep === base.keep,
        applyPatches(next, inverse).list, Object.isFrozen(next.list), caught,
        produce([3, 1, 2], (draft) => {
            draft.sort();
            draft[0] = isDraft(draft) ? original(draft)[0] + current(draft).length : 0;
        })
    ];
}
