import dayjs from 'dayjs';
import customParseFormat from 'dayjs/plugin/customParseFormat';
import duration from 'dayjs/plugin/duration';
import relativeTime from 'dayjs/plugin/relativeTime';
import utc from 'dayjs/plugin/utc';
import 'dayjs/locale/fr';

dayjs.extend(customParseFormat);
dayjs.extend(duration);
dayjs.extend(relativeTime);
dayjs.extend(utc);

export default function () {
    const day = dayjs.utc('2024-02-29T12:34:56Z');
    return [
        day.add(1, 'year').format(), day.format('dddd D MMMM YYYY, h:mm A'),
        day.locale('fr').format('dddd D MMMM YYYY'), day.diff('2020-01-01', 'day'),
        day.from(dayjs.utc('2024-03-05')), day.startOf('week').toISOString(),
        dayjs.duration(123456789).humanize(), dayjs.duration('P1Y2M3DT4H5M6S').toJSON(),
        dayjs.utc('05-11-1999 07', 'DD-MM-YYYY HH').valueOf(), dayjs('nonsense').isValid()
    ];
}
