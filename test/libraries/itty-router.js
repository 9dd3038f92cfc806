import { AutoRouter, error, json, withParams } from 'itty-router';

export default async function () {
    const router = AutoRouter({ base: '/api' });
    const out = [];
    router
        .get('/hello/:name?', ({ params, query }) => ({ params, query }))
        .get('/files/:path+', withParams, ({ path }) => path)
        .post('/echo', async (request) => json(await request.json(), { status: 201 }))
        .all('/denied', () => error(403, 'no'))
        .get('/*.:ext(png|jpg)', ({ params }) => params);
    for (const [method, path, body] of [['GET', '/hello/you?a=1&a=2&b'], ['GET', '/hello'],
        ['GET', '/files/x/y/z'], ['POST', '/echo', '{"x":[1]}'], ['PUT', '/denied'],
        ['GET', '/pic.png'], ['GET', '/none']]) {
        const response = await router.fetch(new Request('https://h.test/api' + path,
            { method, body }));
        out.push([response.status, response.headers.get('content-type'),
            await response.text()]);
    }
    return out;
}
