import { Marked } from 'marked';

export default function () {
    const marked = new Marked({ gfm: true });
    const text = '# Title *em*\n\n- one\n- [x] two\n  1. deep\n\n> quote `code`\n\n' +
        '| a | b |\n|---|:-:|\n| 1 | **2** |\n\n```js\nlet x = "<y>";\n```\n\n' +
        '[link](https://a.b "t") ![i](x.png) <https://c.d> ~~gone~~ www.auto.link\n\n' +
        'Hard  \nbreak &amp; é 😀 \\* \n\n***\n\n[ref]: https://r.ef\n\nSee [ref][].\n';
    return [marked.parse(text), marked.parseInline('**a** _b_ <i>c</i>'),
        marked.lexer('- a\n- b').map((t) => t.type)];
}
