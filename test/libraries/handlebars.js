/* A template is compiled before it is packed: a lambda has no code from strings. */
import Handlebars from 'handlebars/runtime';
import templates from './handlebars.compiled.js';

export default function () {
    Handlebars.registerHelper('loud', (text) => String(text).toUpperCase());
    Handlebars.registerPartial('item', Handlebars.template(templates.item));
    const page = Handlebars.template(templates.page);
    return [
        page({ title: 'a < b & "c"', html: '<b>raw</b>', items: [{ n: 1, on: true }, { n: 2 }],
            person: { name: 'Jörg 😀', tags: ['x', 'y'] }, map: { k1: 'v1', k2: 'v2' } }),
        page({ title: '', items: [] })
    ];
}
