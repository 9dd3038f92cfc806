import Papa from 'papaparse';

export default function () {
    const text = 'a;b;"c ""d"""\r\n1;2,5;"multi\r\nline"\r\n\r\ntrue;;x;extra\r\n# no\r\n';
    return [
        Papa.parse(text, { comments: '#' }), Papa.parse(text, { header: true,
            dynamicTyping: true, skipEmptyLines: true }),
        Papa.unparse([{ a: 1, b: 'x,y' }, { a: null, b: 'q"q' }]),
        Papa.unparse([['=1+1', ' pad '], [true, undefined]], { delimiter: '\t',
            escapeFormulae: true, quotes: true })
    ];
}
