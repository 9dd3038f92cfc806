import semver from 'semver';

export default function () {
    const list = ['1.2.3', '1.10.0', '1.2.3-beta.11', '1.2.3-beta.2', '2.0.0-rc.1+b5', '0.0.1'];
    return [
        semver.sort(list.slice()), semver.rsort(list.slice()), semver.valid(' =v1.2.3 '),
        semver.inc('1.2.3-beta.2', 'prerelease'), semver.inc('1.2.3', 'minor'),
        semver.satisfies('1.9.0', '^1.2 || >=3 <4.0.0-0'), semver.maxSatisfying(list, '~1.2'),
        semver.coerce('v3.4-and-more').version, semver.validRange('1.x - 2.3.x || *'),
        semver.diff('1.2.3', '2.0.0-0'), semver.intersects('^1', '>=1.5 <1.7'),
        semver.subset('~1.2.3', '^1.0.0'), semver.minVersion('>1.2.3 <2').raw,
        semver.simplifyRange(['1.0.0', '1.1.0', '1.2.0', '2.0.0'], '1.0.0 || 1.1.0 || 1.2.0'),
        semver.parse('nope')
    ];
}
