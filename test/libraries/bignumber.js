import BigNumber from 'bignumber.js';

export default function () {
    const x = new BigNumber('123456789012345678901234567890.123456789');
    return [
        x.times('-9.87654321e-7').toString(), x.dividedBy(7).toFixed(30), x.sqrt().toString(),
        x.toFormat(2), x.toString(16), x.modulo(97).toString(), x.pow(3).precision(50).toString(),
        new BigNumber(0.1).plus(0.2).eq(0.3), new BigNumber('1e+500').toString(),
        BigNumber.max('1', '3', '2').toJSON(), new BigNumber('zz', 36).toNumber(),
        new BigNumber(NaN).isNaN()
    ];
}
