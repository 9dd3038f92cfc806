/* The lambda around a case: what fails says why. */
let run;

try {
    run = require('./case.js').default;
} catch (error) {
    run = () => {
        throw error;
    };
}

exports.fetch = async function () {
    try {
        return Response.json(await run());
    } catch (error) {
        return new Response(`${error}\n${error.stack || error.stackTrace}`, { status: 500 });
    }
};
