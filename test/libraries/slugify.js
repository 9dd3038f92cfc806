import slugify from 'slugify';

export default function () {
    slugify.extend({ '☢': 'radioactive' });
    return [
        slugify('Ünïcode ♥ is   ☢ & größer!'), slugify('some.String (x)', { lower: true,
            remove: /[*+~.()'"!:@]/g }),
        slugify('Зима близко — 50%', '_'), slugify('a b c', { replacement: '+', strict: true }),
        slugify('Ä ä Ö', { locale: 'de' }), slugify('e\u0301clair ﬁ')
    ];
}
