import { describe, expect, it } from 'vitest'
import { AUTHORIZER, CelError, DYN, authorizerValue, celEnvironment, compileCel, mutation, toJson, type AuthorizationQuestion } from '../index.ts'

const asked: AuthorizationQuestion[] = []
const authorizer = authorizerValue((question) => {
  asked.push(question)
  return { allowed: question.verb === 'get', reason: `about ${question.resource ?? question.path}` }
})
const env = celEnvironment({ variables: { authorizer: AUTHORIZER, d: DYN }, functions: mutation })
const run = (source: string): unknown => toJson(compileCel(source, env).evaluate({ authorizer, d: { n: 3, s: 'text' } }).value)
const failure = (source: string): string => {
  try {
    return `no error: ${JSON.stringify(run(source))}`
  } catch (error) {
    expect(error).toBeInstanceOf(CelError)
    return (error as Error).message.split('\n')[0] as string
  }
}
const holds = (sources: readonly string[]) => { for (const source of sources) expect([source, run(source)]).toEqual([source, true]) }
const fails = (cases: Readonly<Record<string, string>>) => { for (const [source, message] of Object.entries(cases)) expect([source, failure(source)]).toEqual([source, message]) }

describe('strings', () => {
  it('are cut, found and put together by code points', () => holds([
    '"tacocat".charAt(3) == "o"', '"tacocat".charAt(7) == ""', '"ta©o©αT".charAt(3) == "o"', '"a😀b".charAt(2) == "b"', '"a😀b".indexOf("b") == 2', '"a😀b".substring(1, 2) == "😀"',
    '"hello mellow".indexOf("ello", 2) == 7', '"hello mellow".indexOf("jello") == -1', '"hello".indexOf("", 2) == 2', '"hello mellow".lastIndexOf("ello") == 7', '"hello mellow".lastIndexOf("ello", 6) == 1',
    '"hello hello".replace("he", "we") == "wello wello"', '"hello hello".replace("he", "we", 1) == "wello hello"', '"hello hello".replace("he", "we", 0) == "hello hello"', '"ab".replace("", "_") == "_a_b_"',
    '"a b c".split(" ") == ["a", "b", "c"]', '"a b c".split(" ", 2) == ["a", "b c"]', '"a b".split(" ", 0) == []', '"ab".split("") == ["a", "b"]', '"hello".substring(2) == "llo"', '"hello".substring(5) == ""',
    '"  \\u2003x\\n".trim() == "x"', '"TacoCÆt".lowerAscii() == "tacocÆt"', '"tacoCÆt".upperAscii() == "TACOCÆT"', '["a", "b"].join() == "ab"', '["a", "b"].join("-") == "a-b"', '[].join("-") == ""',
    'strings.quote("a\\n\\"b\\"") == "\\"a\\\\n\\\\\\"b\\\\\\"\\""',
  ]))
  it('are formatted', () => holds([
    '"%s has %d of %.2f%%".format([dyn("x"), 3, 1.005]) == "x has 3 of 1.00%"', '"%s".format([[1, 2]]) == "[1, 2]"', '"%s".format([{"b": dyn(1), "a": true}]) == "{\\"a\\":true, \\"b\\":1}"', '"%s".format([[1234567.0, dyn("a\\n"), b"b", duration("90s")]]) == "[1234567.000000, \\"a\\\\n\\", b\\"b\\", duration(\\"90s\\")]"', '"%s %.1f".format([1234567.0, -1234567.25]) == "1.234567e+06 -1,234,567.2"',
    '"%x %X %o %b".format([dyn(255), "hi", 8, 5]) == "ff 6869 10 101"', '"%e".format([1234.5]) == "1.234500×10⁰³"', '"%s %s".format([dyn(null), duration("90s")]) == "null 90s"', '"%s".format([type(1)]) == "int"', '"%s".format([d.s]) == "text"',
  ]))
  it('say what is out of range', () => fails({
    '"abc".charAt(4)': 'index out of range: 4', '"abc".substring(2, 1)': 'invalid substring range. start: 2, end: 1', '"abc".substring(5)': 'index out of range: 5', '"abc".indexOf("a", -1)': 'index out of range: -1',
    '"%d".format(["x"])': 'ERROR: <input>:1:14: error during formatting: decimal clause can only be used on integers, was given string', '"%s".format([])': 'ERROR: <input>:1:12: index 0 out of range',
    '"%d".format([d.s])': 'error during formatting: decimal clause can only be used on integers, was given string', '"%s".format([1, 2])': 'ERROR: <input>:1:12: too many arguments supplied to string.format (expected 1, got 2)',
    '"a".reverse()': "ERROR: <input>:1:12: found no matching overload for 'reverse' applied to 'string.()'",
  }))
})

describe('lists, sets, regular expressions', () => {
  it('are Kubernetes\'s', () => holds([
    '[1, 2, 2].isSorted()', '!["b", "a"].isSorted()', '[1, 3, 5].sum() == 9', '[1.5, 2.5].sum() == 4.0', '[].sum() == 0', '[duration("1m"), duration("1s")].sum() == duration("61s")', '[3, 1].min() == 1', '["a", "c"].max() == "c"',
    '[1, 2, 2].indexOf(2) == 1', '[1, 2, 2].lastIndexOf(2) == 2', '[1].indexOf(5) == -1',
    'sets.contains([1, 2, 3], [2, 1])', '!sets.contains([1], [2])', 'sets.equivalent([1, 1, 2], [2, 1])', 'sets.intersects([1, 2], [2, 3])', '!sets.intersects([1], [])', 'sets.contains([[1]], [[1]])',
    '"abc 123".find("[0-9]+") == "123"', '"abc".find("x") == ""', '"1 22 333".findAll("[0-9]+") == ["1", "22", "333"]', '"1 22 333".findAll("[0-9]+", 2) == ["1", "22"]',
  ]))
  it('fail with a reason', () => fails({ '[].min()': 'min called on empty list', 'd.s.find("(")': 'error parsing regexp: missing closing ): `(`' }))
})

describe('urls, addresses, quantities, versions, formats', () => {
  it('are Kubernetes\'s', () => holds([
    'isURL("https://user:pass@example.com:80/path?query=val#fragment")', 'isURL("/absolute-path")', '!isURL("https://a:b:c/")', '!isURL("../relative-path")', 'url("https://Example.com:80/a b".replace(" ", "%20")).getHost() == "Example.com:80"',
    'url("https://[::1]:80/x").getHostname() == "::1"', 'url("https://e.com:80/").getPort() == "80"', 'url("https://e.com").getPort() == ""', 'url("https://e.com/p%20q").getEscapedPath() == "/p%20q"', 'url("/p").getScheme() == ""',
    'url("https://e.com/?k1=a&k2=b&k2=c&k3&k4=%25").getQuery() == {"k1": ["a"], "k2": ["b", "c"], "k3": [""], "k4": ["%"]}', 'url("https://e.com/") == url("https://e.com/")',
    'isIP("127.0.0.1")', 'isIP("::1")', '!isIP("127.0.0.256")', '!isIP("fe80::1%eth0")', 'ip("127.0.0.1").family() == 4', 'ip("::1").family() == 6', 'ip.isCanonical("2001:db8::abcd")', '!ip.isCanonical("2001:DB8::ABCD")', 'ip("::1") == ip("0:0::0:1")',
    'ip("10.0.0.1").isGlobalUnicast()', 'ip("127.0.0.1").isLoopback()', 'ip("0.0.0.0").isUnspecified()', 'ip("169.254.1.1").isLinkLocalUnicast()', 'ip("ff02::1").isLinkLocalMulticast()', 'string(ip("2001:0db8:0:0:1:0:0:1")) == "2001:db8::1:0:0:1"',
    'isCIDR("192.168.0.0/24")', '!isCIDR("192.168.0.0/33")', 'cidr("192.168.0.0/24").containsIP("192.168.0.10")', 'cidr("192.168.0.0/24").containsIP(ip("192.168.0.10"))', '!cidr("192.168.0.0/24").containsIP("10.0.0.1")', '!cidr("::/0").containsIP("10.0.0.1")',
    'cidr("192.168.0.0/16").containsCIDR("192.168.10.0/24")', '!cidr("192.168.0.0/24").containsCIDR(cidr("192.168.0.0/16"))', 'cidr("192.168.1.5/24").masked() == cidr("192.168.1.0/24")', 'cidr("192.168.1.5/24").ip() == ip("192.168.1.5")', 'cidr("::1/128").prefixLength() == 128', 'string(cidr("10.0.0.0/8")) == "10.0.0.0/8"',
    'isQuantity("1.5Gi")', '!isQuantity("1.5GiB")', 'quantity("1500m").compareTo(quantity("1.5")) == 0', 'quantity("1k") == quantity("1000")', 'quantity("50k").add("20k" == "x" ? quantity("1") : quantity("20k")) == quantity("70k")', 'quantity("50k").sub(20000) == quantity("30k")',
    'quantity("1500m").isInteger() == false', 'quantity("2k").asInteger() == 2000', 'quantity("50.703k").asApproximateFloat() == 50703.0', 'sign(quantity("-1")) == -1', 'quantity("2Gi").isGreaterThan(quantity("1Gi"))', 'quantity("1M").isLessThan(quantity("1G"))',
    'isSemver("1.0.0-alpha.1")', '!isSemver("v1.0")', 'isSemver("v1.0", true)', 'semver("v01.1", true) == semver("1.1.0")', 'semver("1.0.0-alpha").isLessThan(semver("1.0.0"))', 'semver("1.0.0-2").isLessThan(semver("1.0.0-10"))', 'semver("1.2.3").major() == 1 && semver("1.2.3").minor() == 2 && semver("1.2.3").patch() == 3', 'semver("1.2.3").compareTo(semver("1.2.3")) == 0',
    '!format.dns1123Label().validate("my-label").hasValue()', 'format.dns1123Label().validate("My-Label").value().size() == 1', 'format.named("uuid").value().validate("x").value() == ["does not match the UUID format"]', '!format.named("nope").hasValue()', '!format.dns1123LabelPrefix().validate("my-prefix-").hasValue()', 'format.date().validate("2021-13-01").hasValue()', '!format.datetime().validate("2021-01-01T00:00:00Z").hasValue()', '!format.byte().validate("aGVsbG8=").hasValue()',
    'jsonpatch.escapeKey("example.com/a~b") == "example.com~1a~0b"',
  ]))
  it('fail with a reason', () => fails({
    'ip("x")': 'IP Address "x" parse error during conversion from string: ParseAddr("x"): unable to parse IP', 'ip("::ffff:1.2.3.4")': 'IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed',
    'quantity("2.5").asInteger()': 'cannot convert value to integer', 'url("../x")': 'URL parse error during conversion from string: parse "../x": invalid URI for request',
  }))
})

describe('the authorizer', () => {
  it('asks what the expression says, of whom it says', () => {
    expect(run('authorizer.group("apps").resource("deployments").subresource("status").namespace("ns").name("x").check("get").allowed()')).toBe(true)
    expect(asked.at(-1)).toEqual({ group: 'apps', resource: 'deployments', subresource: 'status', namespace: 'ns', name: 'x', verb: 'get' })
    expect(run('authorizer.serviceAccount("ns", "robot").path("/healthz").check("post").reason()')).toBe('about /healthz')
    expect(asked.at(-1)).toEqual({ serviceAccount: { namespace: 'ns', name: 'robot' }, path: '/healthz', verb: 'post' })
  })
  it('lets an expression ask twice, not more often', () => {
    const twice = 'authorizer.path("/a").check("get").allowed() && authorizer.path("/b").check("get").allowed()'
    expect(run(twice)).toBe(true)
    fails({ [`${twice} && authorizer.path("/c").check("get").allowed()`]: 'operation cancelled: actual cost limit exceeded', 'authorizer.path(" ")': 'path must not be empty' })
  })
})
