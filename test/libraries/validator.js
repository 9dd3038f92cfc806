import validator from 'validator';

export default function () {
    return [
        ['a@b.co', 'ä@b.co', 'a@b', '"quoted"@x.org'].map((s) => validator.isEmail(s)),
        ['http://a.b/c?d#e', 'ftp://[::1]:80/', 'javascript:x', 'a..b'].map((s) => validator.isURL(s)),
        ['127.0.0.1', '::1', '1.2.3.256'].map((s) => validator.isIP(s)),
        validator.isCreditCard('4111 1111 1111 1111'), validator.isIBAN('DE89370400440532013000'),
        validator.isISO8601('2024-02-30T12:00:00Z', { strict: true }), validator.isJSON('{"a":1}'),
        validator.isUUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8'), validator.escape('<a>&"\'/`\\'),
        validator.normalizeEmail('Some.One+tag@GMail.com'), validator.isAlpha('äöü', 'de-DE'),
        validator.isMobilePhone('+4915123456789', 'de-DE'), validator.isEAN('4012345678901'),
        validator.toDate('2020-01-01').getTime(), validator.isStrongPassword('aB3$efgh'),
        validator.isISBN('978-3-16-148410-0'), validator.trim('\u00a0 x \n'),
        validator.isSemVer('1.0.0-a+b'), validator.isBase64('Zm9vYg==')
    ];
}
