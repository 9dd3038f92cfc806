import { z } from 'zod';

export default function () {
    const User = z.object({
        id: z.number().int().positive(), name: z.string().trim().min(1).max(8),
        mail: z.email().optional(), tags: z.array(z.enum(['a', 'b'])).default(['a']),
        at: z.iso.datetime().transform((s) => new Date(s).getTime()),
        role: z.union([z.literal('admin'), z.number()]), extra: z.record(z.string(), z.unknown())
    }).strict();
    const bad = User.safeParse({ id: -1.5, name: '   ', mail: 'x', tags: ['c'], at: 'now',
        role: null, extra: 3, more: 1 });
    return [
        User.parse({ id: 1, name: ' Ada ', at: '2024-02-29T00:00:00Z', role: 7, extra: { x: [] } }),
        bad.success, bad.error.issues, z.coerce.number().parse('42'),
        z.string().refine((s) => s.length % 2 === 0, 'odd').safeParse('abc').error.issues,
        z.discriminatedUnion('k', [z.object({ k: z.literal('x'), v: z.number() }),
            z.object({ k: z.literal('y') })]).parse({ k: 'x', v: 1 }),
        z.toJSONSchema(User.pick({ id: true, name: true }))
    ];
}
