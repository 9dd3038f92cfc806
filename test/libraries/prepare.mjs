/*
 * Run by node in a project's folder before it is packed: what a publisher compiles himself,
 * since a lambda has no code from strings. argv: the library.
 */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(process.cwd() + '/');

const steps = {
    handlebars() {
        const Handlebars = require('handlebars');
        const templates = {
            item: '<li class="{{#if on}}on{{else}}off{{/if}}">{{@root.title}} {{n}}</li>',
            page: '<h1>{{title}}</h1>{{{html}}}\n' +
                '{{#each items}}{{> item}}{{@index}}{{#unless @last}},{{/unless}}' +
                '{{else}}none{{/each}}\n{{#with person}}{{loud name}} ' +
                '{{#each tags as |tag i|}}{{i}}={{tag}} {{/each}}{{/with}}' +
                '{{#each map}}{{@key}}:{{this}};{{/each}}{{lookup map "k2"}}'
        };
        const out = Object.entries(templates).map(([name, text]) =>
            name + ': ' + Handlebars.precompile(text));
        writeFileSync('handlebars.compiled.js', 'module.exports = {' + out.join(',\n') + '};\n');
    },
    ajv() {
        const Ajv = require('ajv');
        const standalone = require('ajv/dist/standalone');
        const ajv = new Ajv({ allErrors: true, code: { source: true } });
        const validate = ajv.compile({
            type: 'object', required: ['id', 'name'], dependencies: { kind: ['tags'] },
            additionalProperties: { type: 'string' },
            properties: {
                id: { type: 'integer', minimum: 0 },
                name: { type: 'string', minLength: 1, maxLength: 5 },
                tags: { type: 'array', items: { type: 'string' }, uniqueItems: true },
                when: { type: 'string', pattern: '^\\d{4}-\\d\\d-\\d\\d$' },
                kind: { enum: ['a', 'b'] },
                more: { type: 'object', additionalProperties: { $ref: '#/definitions/n' } }
            },
            definitions: { n: { type: 'number', multipleOf: 0.5 } }
        });
        writeFileSync('ajv.compiled.js', standalone(ajv, validate));
    }
};

steps[process.argv[2]]?.();
