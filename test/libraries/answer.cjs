/* Prints what node answers for a bundled lambda: argv is its file. */
const lambda = require(require('node:path').resolve(process.argv[2]));

(lambda.default || lambda).fetch(new Request('https://lambda.test/'))
    .then((response) => response.text())
    .then((text) => process.stdout.write(text));
