/* modules - ES modules and async functions; for engines that have them. */
import { greet } from './lib/greet.js';
import * as words from './lib/words.js';

const started = await Promise.resolve('yes');

export default {
    async fetch(request, env) {
        const { searchParams } = new URL(request.url);
        const text = await request.text();
        const { shout } = await import('./lib/words.js');
        return Response.json({
            greeting: greet(env.GREETING, searchParams.get('name') ?? 'world'),
            words: words.count(text),
            shout: shout(text),
            started
        });
    }
};
