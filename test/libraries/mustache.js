import Mustache from 'mustache';

export default function () {
    const template = '{{#people}}{{>row}}{{/people}}{{^people}}nobody{{/people}}' +
        '{{! comment }}{{{raw}}}{{&raw}}{{raw}}{{=<% %>=}}<%a.b.c%>';
    const row = '* {{name}} {{#wrap}}born {{born}}{{/wrap}}\n';
    const view = {
        people: [{ name: 'Ada <3', born: 1815 }, { name: 'Kurt', born: 1906 }],
        wrap: () => (text, render) => '(' + render(text) + ')',
        raw: '<i>"\'/`=</i>', a: { b: { c: 42 } }
    };
    return [
        Mustache.render(template, view, { row }), Mustache.render(template, { raw: '' }),
        Mustache.parse('a{{#b}}c{{d}}{{/b}}')
    ];
}
