import { addBusinessDays, addMonths, differenceInCalendarDays, eachDayOfInterval, endOfMonth,
    format, formatDistance, formatISO, getISOWeek, intervalToDuration, isValid, parse, parseISO,
    startOfWeek } from 'date-fns';
import { de } from 'date-fns/locale/de';

export default function () {
    const day = parseISO('2024-02-29T12:34:56Z');
    const later = addMonths(day, 12);
    return [
        formatISO(later), format(day, 'EEEE, do MMMM yyyy HH:mm:ss'),
        format(day, 'EEEE, d. MMMM yyyy', { locale: de }), getISOWeek(day),
        differenceInCalendarDays(later, day), formatDistance(day, later),
        formatISO(startOfWeek(day, { weekStartsOn: 1 })), formatISO(endOfMonth(later)),
        eachDayOfInterval({ start: day, end: addBusinessDays(day, 3) }).length,
        intervalToDuration({ start: day, end: parseISO('2031-11-05T01:02:03Z') }),
        formatISO(parse('7/4/1999 23:05', 'd/M/yyyy HH:mm', day)),
        isValid(parseISO('2023-02-30'))
    ];
}
