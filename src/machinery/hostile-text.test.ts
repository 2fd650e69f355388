/** Texts that clients write into queries, headers and fields: each is understood, or refused with an `ApiError`, in short time. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { core, meta } from '../api/index.ts'
import { applyConfiguration, updateManagedFields } from './apply.ts'
import { parseFieldSelector } from './fields.ts'
import { compileJsonPath } from './jsonpath.ts'
import { fromLabelSelector, parseLabelSelector } from './labels.ts'
import { decodeObject } from './json.ts'
import { canonicalQuantity, isQuantity, parseQuantity } from './quantity.ts'
import { onlyApiErrors } from './testing.ts'
import { formatDuration, parseDuration, parseInstant } from './time.ts'
import { yamlToJson } from './yaml-json.ts'

/** Texts of the pieces that a language is made of, so that many nearly make sense. */
const madeOf = (...pieces: string[]) => fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string({ maxLength: 3 }) }), { maxLength: 12 }).map((parts) => parts.join(''))

describe('texts that clients write', () => {
  it('as label selectors: what is understood is written as what is understood the same', () => {
    const labels = fc.dictionary(fc.constantFrom('a', 'b', 'app.kubernetes.io/name'), fc.constantFrom('', 'x', '1', '22'))
    fc.assert(fc.property(madeOf('a', 'b', 'app.kubernetes.io/name', ' in ', ' notin ', 'in', '(', ')', ',', '=', '==', '!=', '!', '>', '<', 'x', '1', '22', ' ', '-', '_', '.', '/', '\\', 'é'), labels, (text, set) => {
      const selector = onlyApiErrors(() => parseLabelSelector(text))
      if (!selector) return
      const again = parseLabelSelector(selector.toString())
      expect(again.toString()).toBe(selector.toString())
      expect(again.matches(set)).toBe(selector.matches(set))
    }), { numRuns: 5000 })
  })
  it('as label selectors of objects', () => {
    const text = fc.constantFrom('a', 'b', '', 'a/b', 'A_', '-', 'é')
    const requirement = fc.record({ key: text, operator: fc.constantFrom('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', ''), values: fc.array(text, { maxLength: 2 }) }, { requiredKeys: [] })
    fc.assert(fc.property(fc.record({ matchLabels: fc.dictionary(text, text), matchExpressions: fc.array(requirement, { maxLength: 3 }) }, { requiredKeys: [] }), (value) => {
      const decoded = onlyApiErrors(() => decodeObject(meta.LabelSelector, value).object)
      if (decoded) onlyApiErrors(() => fromLabelSelector(decoded))
    }), { numRuns: 1000 })
  })
  it('as field selectors', () => {
    fc.assert(fc.property(madeOf('metadata.name', 'spec.nodeName', '=', '==', '!=', ',', '\\', '\\,', '\\=', 'x', ' ', '!', ''), (text) => {
      const selector = onlyApiErrors(() => parseFieldSelector(text))
      if (!selector) return
      const terms = (of: typeof selector): string[] => of.requirements.map((term) => JSON.stringify(term)).toSorted()
      expect(terms(parseFieldSelector(selector.toString()))).toEqual(terms(selector))
    }), { numRuns: 5000 })
  })
  it('as quantities: what is one stays what it is', () => {
    fc.assert(fc.property(madeOf('0', '1', '9', '.', '-', '+', 'm', 'k', 'Ki', 'Mi', 'Gi', 'E', 'Ei', 'e', 'n', 'u', '10', '999999999999', ' '), (text) => {
      const quantity = onlyApiErrors(() => parseQuantity(text))
      expect(isQuantity(text)).toBe(quantity !== undefined)
      if (!quantity) return
      const canonical = canonicalQuantity(text)
      expect(canonicalQuantity(canonical)).toBe(canonical)
    }), { numRuns: 5000 })
  })
  it('as times and durations', () => {
    fc.assert(fc.property(madeOf('2026', '-01', '-31', 'T', '00', ':00', ':60', 'Z', '+01:00', '.', '999999999', '9', ' '), (text) => void parseInstant(text)), { numRuns: 3000 })
    fc.assert(fc.property(madeOf('1', '0', '.', 'h', 'm', 's', 'ms', 'us', 'ns', '-', '+', '9999999999'), (text) => {
      const nanos = parseDuration(text)
      if (nanos !== undefined) expect(parseDuration(formatDuration(nanos))).toBe(nanos)
    }), { numRuns: 3000 })
  })
  it('as paths of columns', () => {
    fc.assert(fc.property(madeOf('.', '[', ']', '{', '}', 'a', 'status', '*', '0', '-1', '?(', '@', '==', '"x"', ')', '\'', '\\.', '..', ':'), fc.jsonValue({ maxDepth: 3 }), (text, document) => {
      let path
      try {
        path = compileJsonPath(text)
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        return
      }
      expect(Array.isArray(path(document))).toBe(true)
    }), { numRuns: 3000 })
  })
  it('as YAML', async () => {
    const text = madeOf('a', ':', ' ', '\n', '  ', '- ', '[', ']', '{', '}', ',', '&a ', '*a', '"', '\'', '|\n', '>-\n', '#', '---\n', '...\n', '!!str ', '!!binary ', '? ', '<<: ', '%YAML 1.1\n', '0x1f', '.nan', '.inf', '~', 'yes', '\t')
    await fc.assert(fc.asyncProperty(text, fc.boolean(), async (yaml, strict) => {
      const answer = await yamlToJson(yaml, { repeated: strict }).catch((error: Error) => error)
      if (!(answer instanceof Error)) JSON.parse(answer.json)
    }), { numRuns: 3000 })
  })
  it('as the managed fields of an object that is applied', () => {
    const fieldsV1 = fc.letrec((tie) => ({
      set: fc.dictionary(fc.constantFrom('f:metadata', 'f:labels', 'f:a', 'f:data', 'f:spec', 'f:containers', 'k:{"name":"a"}', 'k:{}', 'k:', 'v:"x"', 'v:', 'i:0', 'i:x', '.', 'f:', 'x', '__proto__'), fc.oneof({ maxDepth: 4 }, fc.constant<unknown>({}), tie('set'), fc.constantFrom<unknown>(null, 1, 'x', [])), { maxKeys: 3 }),
    })).set
    const entry = fc.record({ manager: fc.constantFrom('a', 'b', ''), operation: fc.constantFrom('Apply', 'Update', 'x'), apiVersion: fc.constantFrom('v1', 'v9', ''), fieldsType: fc.constantFrom('FieldsV1', 'x'), fieldsV1, subresource: fc.constantFrom('', 'status') }, { requiredKeys: [] })
    fc.assert(fc.property(fc.array(entry, { maxLength: 3 }), fc.boolean(), (managedFields, force) => {
      const live = onlyApiErrors(() => decodeObject(core.Pod, { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', labels: { a: 'b' }, managedFields }, spec: { containers: [{ name: 'a', image: 'x' }] } }).object)
      if (!live) return
      const before = JSON.stringify(live)
      const config = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', labels: { a: 'c' } }, spec: { containers: [{ name: 'a', image: 'y' }, { name: 'b' }] } }
      onlyApiErrors(() => applyConfiguration(core.Pod, live, config, { manager: 'a', force, now: 0 } as never))
      onlyApiErrors(() => updateManagedFields(core.Pod, live, { ...live, metadata: { ...live.metadata, labels: { z: 'y' } } }, { manager: 'b', now: 0 }))
      expect(JSON.stringify(live)).toBe(before)
    }), { numRuns: 1500 })
  })
})
