import { describe, expect, it } from 'vitest'
import { CelCostExceeded, CelError, DYN, INT, STRING, celEnvironment, compileCel, listOf, mapOf, objectOf, toJson } from './index.ts'

const env = celEnvironment({
  variables: {
    x: INT, d: DYN, m: mapOf(DYN), l: listOf(INT, { max: 10 }),
    self: objectOf('Self', { replicas: INT, 'a-b': STRING, tags: listOf(STRING, { listType: 'set' }) }),
  },
})
const given = { x: 1, d: { a: 1, list: [1, 2.5, 'x', null] }, m: {}, l: [1], self: { replicas: 3, 'a-b': 'q', tags: ['a', 'b'] } }
const run = (source: string): unknown => toJson(compileCel(source, env).evaluate(given).value)
const failure = (source: string): string => {
  try {
    return `no error: ${JSON.stringify(run(source))}`
  } catch (error) {
    expect(error).toBeInstanceOf(CelError)
    return (error as Error).message.split('\n')[0] as string
  }
}

describe('what expressions give', () => {
  it.each([
    ['1 + 2 * 3', 7], ['7 / 2', 3], ['-7 / 2', -3], ['-7 % 2', -1], ['--1', 1], ['1.5 + 1.0', 2.5], ['3u * 2u', 6], ['0xff', 255],
    ['"a" + \'b\'', 'ab'], ['"\\u00e4\\n\\x41"', 'ä\nA'], ['r"\\d"', '\\d'], ['"""a"b"""', 'a"b'], ['b"ä" == bytes("ä")', true], ['size("äö😀")', 3],
    ['1 < 1.5 && 2u > 1', true], ['dyn(1) == 1.0', true], ['dyn(1) == "1"', false], ['x in l', true], ['3 in [1, 2]', false], ['"a" in {"a": 1}', true],
    ['true || 1 / 0 == 1', true], ['1 / 0 == 1 || true', true], ['false && 1 / 0 == 1', false], ['1 / 0 == 1 && false', false],
    ['[1, 2].all(i, i > 0)', true], ['[0, 2].exists(i, 1 / i == 0 || i == 2)', true], ['[1, 2, 2].exists_one(i, i == 1)', true], ['[1, 2].map(i, i * 2)', [2, 4]],
    ['[1, 2].map(i, i > 1, i * 2)', [4]], ['[1, 2].filter(i, i > 1)', [2]], ['{"a": 1}.all(k, k == "a")', true], ['[].all(i, false)', true],
    ['[3, 4].transformList(i, v, i + v)', [3, 5]], ['{"a": 1}.transformMap(k, v, v + 1)', { a: 2 }], ['{"a": 1}.transformMapEntry(k, v, {string(v): k})', { 1: 'a' }],
    ['[1, 2].all(i, v, i < v)', true], ['[1, 2].existsOne(i, v, i == 1)', true],
    ['has(self.replicas) && !has(d.b)', true], ['self.a__dash__b', 'q'], ['d.list[1]', 2.5], ['self.tags == ["b", "a"]', true], ['self.tags + ["a", "c"]', ['a', 'b', 'c']],
    ['d.?a.orValue(5)', 1], ['d.?b.?c.orValue(5)', 5], ['d[?"b"].hasValue()', false], ['optional.of(1).value()', 1], ['optional.none().or(optional.of(2)).value()', 2],
    ['[?optional.none(), ?optional.of(1)]', [1]], ['{?"a": optional.of(1), ?"b": optional.none()}', { a: 1 }], ['optional.of(2).optMap(v, v + 1).value()', 3],
    ['optional.ofNonZeroValue("").hasValue()', false], ['type(1) == int', true], ['type([]) == list', true], ['string(1.5)', '1.5'], ['string(123456.0)', '123456'], ['string(1234567.0)', '1.234567e+06'], ['string(0.00001)', '1e-05'], ['string(-0.0)', '-0'], ['int("12")', 12], ['int(2.9)', 2], ['double("1.5")', 1.5],
    ['duration("1h30m").getMinutes()', 90], ['timestamp("2020-01-01T00:00:00Z") + duration("24h") == timestamp("2020-01-02T00:00:00Z")', true],
    ['timestamp("2020-01-01T00:00:00Z").getHours("America/New_York")', 19], ['timestamp("2020-03-01T00:00:00.5Z").getDayOfYear()', 60], ['string(duration("90s"))', '90s'],
    ['timestamp("2020-01-02T00:00:00Z") - timestamp("2020-01-01T00:00:00Z") == duration("24h")', true],
    ['"abc".contains("b") && "abc".startsWith("a") && "abc".endsWith("c")', true], ['"a1".matches("^[a-z][0-9]$")', true], ['x == 1 ? "one" : "other"', 'one'], ['{"a": null}.a == null && [null][0] == null && d.list[3] == null', true], ['[7, 8][dyn(1u)]', 8], ['dyn(9223372036854775807) < 9223372036854775808.0', false], ['"%.0f %.2f".format([2.5, 0.125])', '2 0.12'],
  ])('%s', (source, expected) => { expect(run(source)).toEqual(expected) })
})

describe('what is wrong with an expression is said in cel-go\'s words', () => {
  it('points at every place, line by line', () => {
    expect(() => compileCel('x +\n y + z', env)).toThrow("ERROR: <input>:2:2: undeclared reference to 'y' (in container '')\n |  y + z\n | .^\nERROR: <input>:2:6: undeclared reference to 'z' (in container '')\n |  y + z\n | .....^")
  })
  it.each([
    ['x + "a"', "ERROR: <input>:1:3: found no matching overload for '_+_' applied to '(int, string)'"],
    ['"a".startsWith(1)', "ERROR: <input>:1:15: found no matching overload for 'startsWith' applied to 'string.(int)'"],
    ['foo(1)', "ERROR: <input>:1:4: undeclared reference to 'foo' (in container '')"],
    ['self.nope', "ERROR: <input>:1:5: undefined field 'nope'"],
    ['x.foo', "ERROR: <input>:1:2: type 'int' does not support field selection"],
    ['[1, "a"]', "ERROR: <input>:1:5: expected type 'int' but found 'string'"],
    ['x.all(i, true)', "ERROR: <input>:1:1: expression of type 'int' cannot be range of a comprehension (must be list, map, or dynamic)"],
    ['1 == 1.0', "ERROR: <input>:1:3: found no matching overload for '_==_' applied to '(int, double)'"],
    ['has(x)', 'ERROR: <input>:1:5: invalid argument to has() macro'],
    ['l.all(1, true)', 'ERROR: <input>:1:7: argument must be a simple name'],
    ['"a".matches("(")', 'ERROR: <input>:1:13: invalid matches argument'],
    ['duration("x")', 'ERROR: <input>:1:10: invalid duration argument'],
    ['for', 'ERROR: <input>:1:1: reserved identifier: for'],
    ['9223372036854775808', 'ERROR: <input>:1:1: invalid int literal'],
    ['x = 1', "ERROR: <input>:1:3: Syntax error: token recognition error at: '= '"], ['x 1', "ERROR: <input>:1:3: Syntax error: extraneous input '1' expecting <EOF>"], ['l.map(1, true)', 'ERROR: <input>:1:7: argument is not an identifier'],
    ['x.true', "ERROR: <input>:1:3: Syntax error: mismatched input 'true' expecting IDENTIFIER"], ['"\\xFh"', "ERROR: <input>:1:1: Syntax error: token recognition error at: '\"\\xFh'"],
    ['1 +', "ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>' expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"],
    ['1 / 0', 'division by zero'], ['1 % 0', 'modulus by zero'], ['9223372036854775807 + 1', 'integer overflow'], ['1u - 2u', 'unsigned integer overflow'], ['int(1e30)', 'integer overflow'],
    ['l[5]', 'index out of bounds: 5'], ['m.b', 'no such key: b'], ['m["b"]', 'no such key: b'], ['d.a.b', 'no such key: b'], ['d.a + "x"', 'no such overload'],
    ['optional.none().value()', 'optional.none() dereference'], ['{"a": l, "a": l}', 'Failed with repeated key'],
  ])('%s', (source, message) => { expect(failure(source)).toBe(message) })
})

describe('costs', () => {
  it('counts what an evaluation spends, and stops at the budget whatever catches errors', () => {
    expect(compileCel('self.replicas > 1', env).evaluate(given).cost).toBe(3)
    const program = compileCel('d.list.all(a, d.list.all(b, d.list.all(c, true))) || true', env)
    expect(() => program.evaluate({ d: { list: Array.from({ length: 200 }, () => 1) } })).toThrow(CelCostExceeded)
    expect(() => program.evaluate({ d: { list: [1, 2, 3] } }, { budget: 10 })).toThrow('operation cancelled: actual cost limit exceeded')
  })

  it.each([
    // Making a list of five costs 10 unless it is constant; each element that is looked at 1, a tenth for every character.
    ['[x, 2, 3].sum()', 1 + 10 + 3], ['["0123456789ab", string(x)].min()', 1 + 1 + 10 + 1 + 0], ['"0123456789ab".lowerAscii()', 2], ['"abc 123 def 123".split(" ")', 3],
    ['"abc 123 def 123".find("123")', 2], ['[x].all(i, i > 0)', 11 + 3 + 2 + 1], ['[x, x].exists(i, i > 0)', 12 + 4 + 2 + 3 + 1], ['[x, x].map(i, i + 1)', 12 + 2 * (12 + 2) + 1],
    ['[x, x].filter(i, i > 1)', 12 + 2 * 2 + 1], ['x in [1, 2, 3]', 1], ['[1, 2].map(i, {"a": [1]})', 2 * 2 + 1], ['{"a": [x]}.a[0]', 1 + 10 + 30 + 1 + 1 + 1], ['{"a": x}.transformMap(k, v, v + 1)', 31 + 5 + 1], ['self.replicas == 3 && self.a__dash__b == "q"', 3 + 3], ['has(self.replicas)', 1],
    ['cidr("192.168.0.0/16").containsCIDR("192.0.0.0/30")', 2 + 5], ['sets.contains([x, 2], [1])', 1 + 10 + 3], ['format.dns1123Label().validate("my-name")', 1 + 8], ['quantity("50k").add(20).isGreaterThan(quantity("1"))', 4],
  ])('of %s are Kubernetes\'s', (source, cost) => { expect(compileCel(source, env).evaluate(given).cost).toBe(cost) })

  it('is estimated from the sizes that the types allow', () => {
    expect(compileCel('l.all(i, i > 0)', env).cost).toEqual({ min: 2, max: Infinity })
    const list = listOf(INT, { max: 10 })
    expect(compileCel('l.all(i, i > 0)', celEnvironment({ variables: { l: list }, measured: list })).cost).toEqual({ min: 2, max: 2 + 10 * (3 + 2) })
    const names = listOf({ kind: 'string', max: 40 }, { max: 5 })
    const sized = celEnvironment({ variables: { names }, measured: names })
    const estimate = (source: string) => compileCel(source, sized).cost
    expect(estimate('names.isSorted()')).toEqual({ min: 1, max: 1 + 5 * (1 + 4) })
    expect(estimate('names.join("-").size() > 3').max).toBe(1 + Math.ceil((5 * 40 + 4) * 0.1) + 2)
    expect(estimate('names.all(a, names.all(b, a == b))').max).toBe(2 + 5 * (3 + 2 + 5 * (3 + 2 + 4)))
    expect(estimate('names.exists(n, n.matches("^[a-z]+$"))').max).toBe(2 + 5 * (4 + 1 + 5 * 2))
    expect(estimate('names.size() > 0 ? names.map(n, n.upperAscii()) : []')).toEqual({ min: 3 + 10, max: 3 + 1 + 10 + 5 * (12 + 1 + 4) + 1 })
  })
})
