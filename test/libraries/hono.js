import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { HTTPException } from 'hono/http-exception';

export default async function () {
    const app = new Hono();
    const out = [];
    app.use('*', cors({ origin: 'https://o.test' }));
    app.get('/', (c) => c.text('root ' + c.req.query('q')));
    app.get('/u/:id{[0-9]+}', (c) => c.json({ id: c.req.param('id'), ua: c.req.header('x-a') }));
    app.post('/form', async (c) => c.json(await c.req.json(), 201, { 'x-b': 'c' }));
    app.get('/html', (c) => c.html('<p>&</p>'));
    app.get('/go', (c) => c.redirect('/u/1'));
    app.get('/boom', () => {
        throw new HTTPException(418, { message: 'tea' });
    });
    app.notFound((c) => c.text('nothing at ' + c.req.path, 404));
    for (const [method, path, body] of [['GET', '/?q=%C3%A4'], ['GET', '/u/12'], ['GET', '/u/x'],
        ['POST', '/form', '{"a":[null]}'], ['GET', '/html'], ['GET', '/go'], ['GET', '/boom'],
        ['OPTIONS', '/']]) {
        const response = await app.request('https://h.test' + path,
            { method, body, headers: { 'x-a': 'v', 'content-type': 'application/json' } });
        out.push([response.status, [...response.headers], await response.text()]);
    }
    return out;
}
