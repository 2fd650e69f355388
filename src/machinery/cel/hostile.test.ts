import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CelError, DYN, INT, STRING, celEnvironment, compileCel, listOf, mapOf, objectOf, perCallLimit, typeNameOf, typeName } from './index.ts'

const env = celEnvironment({ variables: { x: INT, s: STRING, d: DYN, l: listOf(INT), m: mapOf(DYN) }, typeOf: (name) => (name === 'Object' ? objectOf(name, {}, { open: true }) : undefined) })
const given = { x: 3, s: 'text', d: { a: [1, { b: null }], c: 'x', n: 1.5 }, l: [1, 2, 3], m: { k: 'v', n: 1 } }

/** What an expression comes to: nothing but a value or a `CelError` ever leaves. */
function outcome(source: string): 'value' | 'error' {
  try {
    const program = compileCel(source, env)
    expect(program.cost.min).not.toBeNaN()
    expect(program.cost.max).not.toBeNaN()
    const { value, cost } = program.evaluate(given)
    expect(cost).toBeLessThanOrEqual(perCallLimit)
    const { kind } = program.type
    if (['int', 'bool', 'string', 'double', 'uint'].includes(kind)) expect(typeNameOf(value)).toBe(typeName(program.type))
    return 'value'
  } catch (error) {
    if (!(error instanceof CelError)) throw error
    return 'error'
  }
}

const atom = fc.constantFrom('x', 's', 'd', 'l', 'm', 'd.a', 'd.c', 'd.zz', 'm.k', '1', '-1', '0', '2.5', '3u', '"a"', '"(a+)+$"', 'b"\\xff"', 'true', 'false', 'null', '[]', '{}', 'i', 'optional.none()', 'duration("1h")', 'timestamp("2020-01-01T00:00:00Z")', '9223372036854775807', 'quantity("1")', 'ip("::1")')
const binary = fc.constantFrom('+', '-', '*', '/', '%', '==', '!=', '<', '>=', '&&', '||', 'in')
const macro = fc.constantFrom('all', 'exists', 'exists_one', 'map', 'filter')
const call = fc.constantFrom('size', 'string', 'int', 'double', 'type', 'dyn', 'bytes', 'isIP', 'isURL', 'url', 'quantity', '!', '-', 'optional.of', 'timestamp', 'duration', 'uint', 'cidr')
const method = fc.constantFrom('matches', 'contains', 'startsWith', 'split', 'indexOf', 'find', 'findAll', 'orValue', 'format', 'join', 'replace', 'containsIP', 'add', 'getHours', 'lowerAscii', 'sum', 'max', 'isSorted')
const { expression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    atom,
    fc.tuple(tie('expression'), binary, tie('expression')).map(([a, op, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie('expression'), macro, tie('expression')).map(([range, name, body]) => `${range}.${name}(i, ${body})`),
    fc.tuple(call, tie('expression')).map(([name, arg]) => `${name}(${arg})`),
    fc.tuple(tie('expression'), method, fc.array(tie('expression'), { maxLength: 2 })).map(([target, name, args]) => `${target}.${name}(${args.join(', ')})`),
    fc.tuple(tie('expression'), tie('expression'), tie('expression')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}[${b}]`),
    fc.tuple(tie('expression'), tie('expression')).map(([a, b]) => `${a}[?${b}]`),
    fc.array(tie('expression'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.array(fc.tuple(tie('expression'), tie('expression')), { maxLength: 2 }).map((entries) => `{${entries.map(([k, v]) => `${k}: ${v}`).join(', ')}}`),
    tie('expression').map((inner) => `${inner}.b`),
    tie('expression').map((inner) => `has(${inner}.b)`),
    tie('expression').map((inner) => `${inner}.?b`),
  ),
}))

describe('whatever somebody writes', () => {
  it('is a value or a CelError: expressions that look like some', () => {
    let values = 0
    fc.assert(fc.property(expression, (source) => { if (outcome(source) === 'value') values++ }), { numRuns: 2000 })
    expect(values).toBeGreaterThan(100)
  }, 60_000)

  it('is a value or a CelError: arbitrary words', () => {
    const words = fc.array(fc.oneof(atom, binary, macro, method, fc.constantFrom('(', ')', '[', ']', '{', '}', '.', ',', ':', '?', '\\', '"', "'", '\n', '"""', 'r"', '//', '\u0000', '\ud800', '😀')), { maxLength: 12 })
    fc.assert(fc.property(words, (parts) => { outcome(parts.join('')) }), { numRuns: 3000 })
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => { outcome(text) }), { numRuns: 1000 })
  }, 60_000)

  it.each([
    ['nested parentheses', '('.repeat(50_000)],
    ['parentheses that are closed', `${'('.repeat(300)}1${')'.repeat(300)}`],
    ['lists in lists', `${'['.repeat(20_000)}${']'.repeat(20_000)}`],
    ['conditions in conditions', 'true ? 1 : '.repeat(9_000)],
    ['a long sum', `1${'+1'.repeat(40_000)}`],
    ['a long path', `d${'.a'.repeat(40_000)}`],
    ['long paths at every level', `${'('.repeat(200)}d${`${'.a'.repeat(200)})`.repeat(200)}`],
    ['many indexes', `l${'[0]'.repeat(20_000)}`],
    ['calls on calls', `s${'.trim()'.repeat(10_000)}`],
    ['objects in objects', `${'Object{a: '.repeat(240)}1${'}'.repeat(240)}`],
    ['maps in maps', `${'{"a": '.repeat(240)}1${'}'.repeat(240)}`],
    ['conditions within conditions', `${'(true ? '.repeat(200)}1${' : 2)'.repeat(200)}`],
    ['optionals in optionals', `${'optional.of(1).optMap(v, '.repeat(200)}v${')'.repeat(200)}`],
    ['macros in macros', `${'l.map(i, '.repeat(240)}1${')'.repeat(240)}`],
    ['more text than is allowed', `"${'a'.repeat(200_000)}"`],
    ['a string without end', `"${'\\'.repeat(50_001)}`],
    ['a pattern that takes others forever', `"${'a'.repeat(5_000)}!".matches("^(a+)+$") || "${'a'.repeat(5_000)}".matches("(a|a)*b")`],
    ['a new pattern for every turn', `[1,2,3,4,5,6,7,8,9,10].exists(a, [1,2,3,4,5,6,7,8,9,10].exists(b, [1,2,3,4,5,6,7,8,9,10].exists(c, [1,2,3,4,5,6,7,8,9,10].exists(e, "x".matches(string(a * 1000 + b * 100 + c * 10 + e))))))`],
    ['a time zone for every turn', `[1,2,3,4,5,6,7,8,9,10].exists(a, [1,2,3,4,5,6,7,8,9,10].exists(b, [1,2,3,4,5,6,7,8,9,10].exists(c, [1,2,3,4,5,6,7,8,9,10].exists(e, timestamp("2020-01-01T00:00:00Z").getHours("Etc/GMT-" + string(a) + string(b) + string(c) + string(e)) == 99))))`],
    ['blanks in the middle', `"a${' '.repeat(90_000)}b".trim() == ""`],
    ['digits without end', `double("${'1'.repeat(45_000)}x") == 1.0 || duration("${'1'.repeat(45_000)}".lowerAscii()) == duration("1s")`],
    ['a huge repetition', '"a".matches("((a{1000}){1000}){1000}")'],
    ['a text that doubles', `[1,2,3,4,5,6,7,8,9,10].map(a, "${'x'.repeat(1000)}").map(b, [b,b,b,b,b,b,b,b,b,b].join()).map(b, [b,b,b,b,b,b,b,b,b,b].join()).map(b, [b,b,b,b,b,b,b,b,b,b].join()).map(b, [b,b,b,b,b,b,b,b,b,b].join()).map(b, [b,b,b,b,b,b,b,b,b,b].join())`],
    ['loops in loops', `${'l.all(i, '.repeat(20)}true${')'.repeat(20)}`],
    ['loops over loops', `[1,2,3,4,5,6,7,8,9].map(a, l.map(b, l.map(c, l.map(e, l.map(f, l.map(g, l.map(h, l.map(j, l.map(k, l)))))))))`],
    ['lists that grow', `[l].map(a, a+a).map(a, a+a).map(a, a+a)${'.map(a, a+a)'.repeat(60)}`],
    ['trees that grow', `[l].map(a, [a, a])${'.map(a, [a, a])'.repeat(60)} == [l].map(a, [a, a])${'.map(a, [a, a])'.repeat(60)}`],
    ['a long list, looked at often', `[[1]]${'.map(a, a+a)'.repeat(20)}.map(a, [1,2,3,4,5,6,7,8].all(i, [1,2,3,4,5,6,7,8].all(j, [1,2,3,4,5,6,7,8].all(k, a.max() == 1))))`],
    ['a replacement that explodes', `"${'a'.repeat(3000)}"${'.replace("a", "aaaaaaaaaaaaaaaaaaaa")'.repeat(20)}`],
    ['thousands of errors that are caught', `${'l.exists(i, '.repeat(8)}1/0 == 1${')'.repeat(8)} || true`],
  ])('ends soon: %s', (_, source) => {
    const started = performance.now()
    outcome(source)
    expect(performance.now() - started).toBeLessThan(20_000)
  }, 60_000)

  it('takes thousands of terms that are only joined', () => {
    expect(outcome(Array.from({ length: 6_000 }, (_, i) => `x != -${i}`).join(' && '))).toBe('value')
  })
})
