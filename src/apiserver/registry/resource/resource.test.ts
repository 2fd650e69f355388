import { beforeAll, describe, expect, it } from 'vitest'
import { dra, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, createErrors, created, environment, statusErrors, updateErrors } from '../testing.ts'
import { loadCel } from '../../admission/policies/cel.ts'

beforeAll(async () => void (await loadCel()))

const any = <T extends ApiObject, I>(resource: Resource<T, I>) => resource as unknown as Resource<ApiObject>
const claims = any(dra.resourceclaims)
const slices = any(dra.resourceslices)
const classes = any(dra.deviceclasses)
const named = (body: object) => ({ metadata: { name: 'a', namespace: 'default' }, ...body })
const claim = (devices: object) => ({ spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c' } }], ...devices } } })
const request = (part: object) => claim({ requests: [{ name: 'r', ...part }] })
const pool = { name: 'p', generation: 0, resourceSliceCount: 1 }
const slice = (spec: object) => ({ spec: { driver: 'd.example.com', pool, nodeName: 'n', ...spec } })
const device = (part: object) => slice({ devices: [{ name: 'd', ...part }] })
const like = (start: string) => expect.stringMatching(new RegExp(`^${start.replaceAll(/[[\].]/g, '\\$&')}`)) as unknown as string
const where = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
const unknown = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

describe('what is wrong with', () => {
  it.each<[string, Resource<ApiObject>, object, string[]]>([
    ['nothing: a claim', claims, claim({}), []],
    ['a request of nothing', claims, request({}), ['spec.devices.requests[0]: Required value: exactly one of `exactly` or `firstAvailable` is required']],
    ['a request of both', claims, request({ exactly: { deviceClassName: 'c' }, firstAvailable: [{ name: 's', deviceClassName: 'c' }] }),
      ['spec.devices.requests[0]: Invalid value: null: exactly one of `exactly` or `firstAvailable` is required, but multiple fields are set']],
    ['a request of no class', claims, request({ exactly: { deviceClassName: '', allocationMode: 'X' } }), [
      'spec.devices.requests[0].exactly.deviceClassName: Required value', 'spec.devices.requests[0].exactly.allocationMode: Unsupported value: "X": supported values: "All", "ExactCount"',
    ]],
    ['a request of all and some', claims, request({ exactly: { deviceClassName: 'c', allocationMode: 'All', count: 2 } }), ["spec.devices.requests[0].exactly.count: Invalid value: 2: must not be specified when allocationMode is 'All'"]],
    ['a request of less than none', claims, request({ exactly: { deviceClassName: 'c', count: -1 } }), ['spec.devices.requests[0].exactly.count: Invalid value: -1: must be greater than zero']],
    ['a request by an expression that is too long', claims, request({ exactly: { deviceClassName: 'c', selectors: [{ cel: { expression: 'x'.repeat(10_241) } }, {}] } }),
      ['spec.devices.requests[0].exactly.selectors[0].cel.expression: Too long: may not be more than 10240 bytes', 'spec.devices.requests[0].exactly.selectors[1].cel: Required value']],
    ['too many alternatives', claims, request({ firstAvailable: Array.from({ length: 9 }, (_, i) => ({ name: `s${i}`, deviceClassName: 'c' })) }), ['spec.devices.requests[0].firstAvailable: Too many: 9: must have at most 8 items']],
    ['a constraint on others', claims, claim({ constraints: [{ requests: ['x', 'r', 'r'], matchAttribute: 'model' }, {}] }), [
      `spec.devices.constraints[0].requests[0]: Invalid value: "x": ${unknown}`, 'spec.devices.constraints[0].requests[2]: Duplicate value: "r"',
      'spec.devices.constraints[0].matchAttribute: Invalid value: "model": a fully qualified name must be a domain and a name separated by a slash',
      'spec.devices.constraints[1]: Required value: exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set',
    ]],
    ['settings for nobody', claims, claim({ config: [{}, { opaque: { driver: '', parameters: {} } }] }), [
      'spec.devices.config[0].opaque: Required value', 'spec.devices.config[1].opaque.driver: Required value', like('spec.devices.config[1].opaque.driver: Invalid value: ""'),
    ]],
    ['nothing: a slice', slices, device({ attributes: { model: { string: 'x' }, 'example.com/v': { version: '1.2.3' } }, capacity: { memory: { value: '1Gi' } } }), []],
    ['a slice of nowhere', slices, slice({ nodeName: undefined }), [`spec: Required value: ${where}`]],
    ['a slice of two places', slices, slice({ allNodes: true }), [`spec: Invalid value: "{\`nodeName\`, \`allNodes\`}": ${where}, but multiple fields are set`]],
    ['a slice that is not everywhere', slices, slice({ allNodes: false }), ['spec.allNodes: Invalid value: false: must be either unset or set to true']],
    ['a slice of no pool', slices, slice({ driver: '', pool: { name: 'a/B', generation: -1, resourceSliceCount: 0 } }), [
      'spec.driver: Required value', like('spec.driver: Invalid value: ""'), like('spec.pool.name: Invalid value: "B"'), 'spec.pool.resourceSliceCount: Invalid value: 0: must be greater than zero', 'spec.pool.generation: Invalid value: -1: must be greater than or equal to zero',
    ]],
    ['a device of odd attributes', slices, device({ attributes: { 'a-b': { bool: true }, 'x/y/z': { int: 1 }, none: {}, two: { int: 1, bool: true }, v: { version: '1' }, long: { string: 'x'.repeat(65) } } }), [
      like('spec.devices[0].attributes: Invalid value: "a-b": a valid C identifier'), 'spec.devices[0].attributes[long].string: Too long: may not be more than 64 bytes',
      'spec.devices[0].attributes[none]: Invalid value: "": exactly one value must be specified', 'spec.devices[0].attributes[two]: Invalid value: {"int":1,"bool":true}: exactly one value must be specified',
      'spec.devices[0].attributes[v].version: Invalid value: "1": must be a string compatible with semver.org spec 2.0.0', 'spec.devices[0].attributes: Invalid value: "x/y/z": must not contain more than one slash',
    ]],
    ['a device that says where it is', slices, device({ nodeName: 'n' }), [
      'spec.devices[0]: Invalid value: null: `nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
    ]],
    ['a device that is bound when it has failed', slices, device({ bindingConditions: ['a'], bindingFailureConditions: ['a', 'a'] }), [
      'spec.devices[0].bindingFailureConditions[1]: Duplicate value: "a"', 'spec.devices[0].bindingFailureConditions[0]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions',
      'spec.devices[0].bindingFailureConditions[1]: Invalid value: "a": bindingFailureConditions must not overlap with bindingConditions',
    ]],
    ['a taint of no effect', slices, device({ taints: [{ key: '', effect: 'X' }] }), ['spec.devices[0].taints[0].key: Required value', 'spec.devices[0].taints[0].effect: Unsupported value: "X": supported values: "NoExecute", "NoSchedule", "None"']],
    ['a request that tolerates oddly', claims, request({ exactly: { deviceClassName: 'c', tolerations: [{ operator: 'Exists', value: 'v', effect: 'X' }, { operator: 'Y' }] } }), [
      'spec.devices.requests[0].exactly.tolerations[0].value: Invalid value: "v": must be empty for operator `Exists`',
      'spec.devices.requests[0].exactly.tolerations[0].effect: Unsupported value: "X": supported values: "NoExecute", "NoSchedule", "None"',
      'spec.devices.requests[0].exactly.tolerations[1].operator: Unsupported value: "Y": supported values: "Equal", "Exists"',
    ]],
    ['two devices of one name', slices, slice({ devices: [{ name: 'd' }, { name: 'd' }] }), ['spec.devices[1]: Duplicate value: "d"']],
    ['too many devices', slices, slice({ devices: Array.from({ length: 129 }, (_, i) => ({ name: `d${i}` })) }), ['spec.devices: Too many: 129: must have at most 128 items']],
    ['a class that stands for what is not extended', classes, { spec: { extendedResourceName: 'cpu' } }, ['spec.extendedResourceName: Invalid value: "cpu": must be a valid extended resource name']],
  ])('%s', (_, resource, written, errors) => {
    expect(createErrors(resource, named(written))).toEqual(errors)
  })
})

it('claims do not change, and slices stay with their driver', () => {
  expect(updateErrors(claims, named(request({ exactly: { deviceClassName: 'd' } })), created(claims, named(claim({}))))[0]).toMatch(/^spec: Invalid value: .*: field is immutable$/)
  expect(updateErrors(slices, named(slice({ driver: 'e.example.com', nodeName: 'm' })), created(slices, named(slice({}))))).toEqual([
    'spec.driver: Invalid value: "e.example.com": field is immutable', 'spec.nodeName: Invalid value: "m": field is immutable',
  ])
})

it('the status of a claim says who may use what is there', () => {
  const strategy = strategyFor(claims as never, environment) as unknown as Strategy<ApiObject>
  const withStatus = (status: object) => complete(claims, named({ ...claim({}), status }))
  const errors = (next: object, current: object) => statusErrors(strategy, withStatus(next), withStatus(current))
  const pod = { resource: 'pods', name: 'p', uid: 'u' }
  expect(errors({ reservedFor: [pod] }, {})).toEqual(['status.reservedFor: Forbidden: may not be specified when `allocated` is not set'])
  expect(errors({ allocation: {}, reservedFor: [pod, { ...pod, name: '' }] }, { allocation: {} })).toEqual(['status.reservedFor[1].name: Required value', 'status.reservedFor[1]: Duplicate value: "u"'])
  expect(errors({ allocation: { nodeSelector: { nodeSelectorTerms: [] } } }, { allocation: {} })?.[0]).toMatch(/^status.allocation: Invalid value: .*: field is immutable$/)
})

describe('a device that several may use', () => {
  const place = 'spec.devices[0].capacity[memory].requestPolicy'
  const shared = (requestPolicy: object, more: object = { allowMultipleAllocations: true }) => named(device({ ...more, capacity: { memory: { value: '10', requestPolicy } } }))
  it.each<[string, object, string[]]>([
    ['as it is', {}, []],
    ['by values', { default: '2', validValues: ['1', '2', '4'] }, []],
    ['in steps', { default: '4', validRange: { min: '2', max: '8', step: '2' } }, []],
    ['by values and in steps', { default: '1', validValues: ['1'], validRange: { min: '1' } }, [`${place}: Forbidden: exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time`]],
    ['by values without a default', { validValues: ['1'] }, [`${place}.default: Required value: required when validValues is defined`]],
    ['by values in no order', { default: '3', validValues: ['2', '1', '11', '11'] }, [
      `${place}.validValues[1]: Invalid value: "1": values must be sorted in ascending order`, `${place}.validValues[2]: Invalid value: "11": option is larger than capacity value: 10`,
      `${place}.validValues[3]: Invalid value: "11": option is larger than capacity value: 10`, `${place}.validValues[3]: Duplicate value: "11"`, `${place}.validValues: Invalid value: "3": default value is not valid according to the requestPolicy`,
    ]],
    ['in a range without a start', { default: '1', validRange: {} }, [`${place}.validRange.min: Required value: required when validRange is defined`]],
    ['in a range backwards', { default: '1', validRange: { min: '12', max: '11' } }, [
      `${place}.validRange.min: Invalid value: "12": min is larger than capacity value: 10`, `${place}.validRange.default: Invalid value: "1": default is less than min: 12`,
      `${place}.validRange.max: Invalid value: "12": min is larger than max: 11`, `${place}.validRange.max: Invalid value: "11": max is larger than capacity value: 10`,
    ]],
    ['in steps that miss', { default: '3', validRange: { min: '2', max: '7', step: '2' } }, [
      `${place}.validRange.step: Invalid value: "3": value is not a multiple of a given step (2) from (2)`, `${place}.validRange.step: Invalid value: "7": value is not a multiple of a given step (2) from (2)`,
    ]],
    ['in no steps', { default: '2', validRange: { min: '2', step: '0' } }, [`${place}.validRange.step: Invalid value: "0": must be greater than zero`]],
    ['from below nothing', { default: '2', validRange: { min: '-2', step: '2' } }, [`${place}.validRange.min: Invalid value: "-2": must be greater than or equal to 0`]],
  ])('%s', (_, policy, errors) => {
    expect(createErrors(slices, shared(policy))).toEqual(errors)
  })
  it('stays as it was', () => {
    const before = created(slices, shared({ validValues: ['1'] }))
    expect(updateErrors(slices, { ...shared({ validValues: ['1'] }), metadata: { name: 'a', labels: { a: 'b' } } }, before)).toEqual([])
    expect(createErrors(slices, shared({}, {}))).toEqual([`${place}: Forbidden: allowMultipleAllocations must be true`])
  })
})

it('a slice has so many counters, and a device so many values, and no more', () => {
  const many = Object.fromEntries(Array.from({ length: 33 }, (_, i) => [`c${i}`, { value: '1' }]))
  expect(createErrors(slices, named(slice({ sharedCounters: [{ name: 's', counters: many }] })))).toEqual(['spec.sharedCounters[0].counters: Too many: 33: must have at most 32 items'])
  expect(createErrors(slices, named(device({ consumesCounters: [{ counterSet: 's', counters: many }] })))).toEqual(['spec.devices[0].consumesCounters[0].counters: Too many: 33: must have at most 32 items'])
  expect(createErrors(slices, named(device({ attributes: { a: { ints: Array.from({ length: 49 }, (_, i) => i) } } })))).toEqual(['spec.devices[0]: Invalid value: 49: the total number of attribute values must not exceed 48'])
  expect(createErrors(slices, named(slice({ devices: Array.from({ length: 65 }, (_, i) => ({ name: `d${i}`, attributes: { a: { ints: [1] } } })) })))).toEqual(['spec.devices: Too many: 65: must have at most 64 items'])
})

it('a template gives its claims labels that can be', () => {
  const spec = { metadata: { labels: { 'a b': 'c' } }, spec: { devices: { requests: [] } } }
  expect(createErrors(any(dra.resourceclaimtemplates), named({ spec }))).toEqual([like('spec.metadata.labels: Invalid value: "a b"')])
})

describe('an expression that selects devices', () => {
  const at = 'spec.selectors[0].cel.expression'
  const written = (expression: string) => named({ spec: { selectors: [{ cel: { expression } }] } })
  it.each([
    ['a driver', "device.driver == 'd.example.com'"], ['an attribute', "device.attributes['d.example.com'].model == 'x'"], ['an attribute that is true or false', "device.attributes['d.example.com'].fast"],
    ['a version', "device.attributes['d.example.com'].v.isGreaterThan(semver('1.0.0'))"], ['a capacity', "device.capacity['d.example.com'].memory.compareTo(quantity('1Gi')) >= 0"],
    ['what is not there', "'d.example.com' in device.attributes && has(device.attributes['d.example.com'].model)"], ['sharing', 'device.allowMultipleAllocations'],
    ['a name for a part', "cel.bind(d, device.attributes['d.example.com'], d.fast && d.model == 'x')"],
  ])('by %s', (_, expression) => {
    expect(createErrors(classes, written(expression))).toEqual([])
  })
  it.each([
    ['which is none', 'device.', new RegExp(`^${at.replaceAll(/[[\].]/g, '\\$&')}: Invalid value: "device.": compilation failed: ERROR: <input>:1:8: Syntax error`)],
    ['by what devices do not have', 'device.nodes', /compilation failed: ERROR: <input>:1:7: undefined field 'nodes'/],
    ['by a text', 'device.driver', /must evaluate to bool or the unknown type, not string$/],
    ['at too high a price', 'device.attributes.all(a, device.attributes.all(b, device.attributes.all(c, device.attributes.all(d, a == b && c == d))))', /: Forbidden: too complex, exceeds cost limit$/],
  ])('%s is refused', (_, expression, error) => {
    expect(createErrors(classes, written(expression))).toEqual([expect.stringMatching(error)])
  })
  it('is not looked at again while it stays', () => {
    const stored = created(classes, written('nothing'))
    expect(updateErrors(classes, { ...written('nothing'), metadata: { name: 'a', labels: { a: 'b' } } }, stored)).toEqual([])
    expect(updateErrors(classes, written('nothing else'), stored)).toHaveLength(1)
  })
})
