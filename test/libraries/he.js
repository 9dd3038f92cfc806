import he from 'he';

export default function () {
    const text = 'foo © bar ≠ baz 𝌆 qux <script>"\'`&\u0000';
    return [
        he.encode(text), he.encode(text, { useNamedReferences: true }),
        he.encode(text, { decimal: true, encodeEverything: true }), he.escape(text),
        he.decode('foo &copy; bar &ne; baz &#x1D306; &ampq; &notin; &not &lt;&#128;&#xD800;'),
        he.decode('foo&ampbar', { isAttributeValue: true }),
        he.unescape(he.escape(text)) === text
    ];
}
