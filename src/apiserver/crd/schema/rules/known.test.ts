/** Rules as the kinds of well-known projects have them (gateways, routes, node pools): they are accepted within the bounds those schemas state, and tell good from bad. */
import { beforeAll, expect, it } from 'vitest'
import type { apiextensions } from '../../../../api/index.ts'
import type { ApiObject } from '../../../../client/client.ts'
import { found } from '../../../../machinery/field.ts'
import { compileSchema } from '../compile.ts'
import { definitionSchema } from '../definition/index.ts'
import { loadRules } from './engine.ts'

type Schema = apiextensions.JSONSchemaProps

beforeAll(() => loadRules([{ 'x-kubernetes-validations': [{ rule: 'true' }] }]))

const rules = (...list: string[]) => ({ 'x-kubernetes-validations': list.map((rule) => ({ rule, message: rule.trim().replaceAll(/\s+/g, ' ') })) })
const text = (maxLength: number, more: Schema = {}): Schema => ({ type: 'string', maxLength, minLength: 1, ...more })
const list = (maxItems: number, items: Schema, more: Schema = {}): Schema => ({ type: 'array', maxItems, items, ...more })
const object = (properties: Record<string, Schema>, more: Schema = {}): Schema => ({ type: 'object', properties, ...more })

const hostname = text(253, { pattern: '^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$' })
const listener = object({
  name: hostname, hostname, port: { type: 'integer', format: 'int32', minimum: 1, maximum: 65535 }, protocol: text(255),
  tls: object({ mode: { type: 'string', default: 'Terminate', enum: ['Terminate', 'Passthrough'] }, certificateRefs: list(64, object({ name: text(253) })), options: { type: 'object', maxProperties: 16, additionalProperties: text(4096) } },
    rules("self.mode == 'Terminate' ? size(self.certificateRefs) > 0 || size(self.options) > 0 : true")),
}, { required: ['name', 'port', 'protocol'] })
const gateway = object({
  listeners: list(64, listener, {
    'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'],
    ...rules(
      "self.all(l, l.protocol in ['HTTP', 'TCP', 'UDP'] ? !has(l.tls) : true)",
      "self.all(l, (l.protocol == 'HTTPS' && has(l.tls)) ? (l.tls.mode == '' || l.tls.mode == 'Terminate') : true)",
      "self.all(l, l.protocol in ['TCP', 'UDP'] ? (!has(l.hostname) || l.hostname == '') : true)",
      'self.all(l1, self.exists_one(l2, l1.name == l2.name))',
      'self.all(l1, self.exists_one(l2, l1.port == l2.port && l1.protocol == l2.protocol && (has(l1.hostname) && has(l2.hostname) ? l1.hostname == l2.hostname : !has(l1.hostname) && !has(l2.hostname))))',
    ),
  }),
  addresses: list(16, object({ type: text(253, { default: 'IPAddress' }), value: text(253) }, rules('self.type == \'Hostname\' ? self.value.matches(r"""^(\\*\\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$"""): true')),
    rules("self.all(a1, a1.type == 'IPAddress' ? self.exists_one(a2, a2.type == a1.type && a2.value == a1.value) : true )")),
})

const filters = list(16, object({ type: { type: 'string', enum: ['RequestHeaderModifier', 'RequestRedirect', 'URLRewrite'] }, requestRedirect: object({ hostname }) }), rules(
  "!(self.exists(f, f.type == 'RequestRedirect') && self.exists(f, f.type == 'URLRewrite'))", "self.filter(f, f.type == 'RequestHeaderModifier').size() <= 1"))
const match = object({
  path: object({ type: { type: 'string', default: 'PathPrefix', enum: ['Exact', 'PathPrefix', 'RegularExpression'] }, value: { type: 'string', maxLength: 1024, default: '/' } }, rules(
    "(self.type in ['Exact','PathPrefix']) ? self.value.startsWith('/') : true", "(self.type in ['Exact','PathPrefix']) ? !self.value.contains('//') : true", "(self.type in ['Exact','PathPrefix']) ? !self.value.endsWith('/..') : true",
    "(self.type in ['Exact','PathPrefix']) ? self.value.matches(r\"\"\"^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|[%][0-9a-fA-F]{2})+$\"\"\") : true")),
})
const duration = text(12, { pattern: '^([0-9]{1,5}(h|m|s|ms)){1,4}$' })
const route = object({
  parentRefs: list(32, object({ group: text(253), kind: text(63), name: text(253), namespace: text(63), sectionName: text(253) }, { required: ['name'] }), rules(
    `self.all(p1, self.all(p2, p1.group == p2.group && p1.kind == p2.kind && p1.name == p2.name && (((!has(p1.__namespace__) || p1.__namespace__ == '') && (!has(p2.__namespace__) || p2.__namespace__ == '')) || (has(p1.__namespace__)
      && has(p2.__namespace__) && p1.__namespace__ == p2.__namespace__ )) ? ((!has(p1.sectionName) || p1.sectionName == '') == (!has(p2.sectionName) || p2.sectionName == '')) : true))`)),
  rules: list(16, object({
    filters, matches: list(64, match), backendRefs: list(16, object({ name: text(253), port: { type: 'integer' }, weight: { type: 'integer', default: 1 } })),
    timeouts: object({ request: duration, backendRequest: duration }, rules("!(has(self.request) && has(self.backendRequest) && duration(self.request) != duration('0s') && duration(self.backendRequest) > duration(self.request))")),
  }, rules('(has(self.backendRefs) && self.backendRefs.size() > 0) ? (!has(self.filters) || self.filters.all(f, !has(f.requestRedirect))): true')), rules(
    `(self.size() > 0 ? self[0].matches.size() : 0) + (self.size() > 1 ? self[1].matches.size() : 0) + (self.size() > 2 ? self[2].matches.size() : 0) <= 128`)),
})

const pool = object({
  requirements: list(100, object({ key: text(316), operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt'] }, values: list(50, text(63)) }, { required: ['key', 'operator'] }), rules(
    "self.all(x, x.operator == 'In' ? x.values.size() != 0 : true)", "self.all(x, (x.operator == 'Gt' || x.operator == 'Lt') ? (x.values.size() == 1 && int(x.values[0]) >= 0) : true)",
    "self.all(x, !(x.key in ['kubernetes.io/hostname']))")),
  limits: object({ cpu: { 'x-kubernetes-int-or-string': true, maxLength: 32, ...rules("type(self) == int ? self > 0 : quantity(self).isGreaterThan(quantity('0'))") } }),
  version: text(32, rules("isSemver(self) && semver(self).isGreaterThan(semver('1.0.0'))")), cidr: text(43, rules('isCIDR(self) && cidr(self).ip().family() == 4')),
  endpoint: text(512, rules("isURL(self) && url(self).getScheme() in ['http', 'https']")), label: text(63, rules('!format.dns1123Label().validate(self).hasValue()')), image: text(1024, rules('self.find("@sha256:[a-f0-9]{64}$") != "" || self.endsWith(":latest") == false')),
  class: text(63, rules('self == oldSelf')), features: list(32, text(63), { 'x-kubernetes-list-type': 'set', ...rules('oldSelf.all(o, o in self)', "sets.contains(['a', 'b', 'c'], self)") }),
  end: { type: 'string', format: 'date-time', ...rules("self > timestamp('2020-01-01T00:00:00Z')") }, grace: { type: 'string', format: 'duration', ...rules("self <= duration('1h')") },
}, rules('has(self.label) == has(oldSelf.label)', '!has(self.class) || self.class.lowerAscii() == self.class'))

const schema = (spec: Schema): Schema => ({ type: 'object', properties: { spec } })
const compiled = (spec: Schema) => compileSchema({ group: 'example.com', version: 'v1', kind: 'Known', schema: schema(spec) })
const of = (spec: unknown) => ({ apiVersion: 'example.com/v1', kind: 'Known', metadata: { name: 'x' }, spec }) as unknown as ApiObject
const errors = (spec: Schema, value: unknown, old?: unknown) => (old === undefined ? compiled(spec).validate(of(value)) : compiled(spec).validateUpdate(of(value), of(old))).map((error) => `${error.field}: ${error.detail.slice(0, 40).trim()}`)

it.each(Object.entries({ gateway, route, pool }))('the rules of a %s compile, and cost no more than they may', (_, spec) => {
  expect(found((at) => definitionSchema(at, schema(spec)), 'schema').map(String)).toEqual([])
})

it('tell good gateways from bad', () => {
  const listeners = [{ name: 'a', port: 80, protocol: 'HTTP' }, { name: 'b', port: 443, protocol: 'HTTPS', tls: { mode: 'Terminate', certificateRefs: [{ name: 'c' }], options: {} } }]
  expect(errors(gateway, { listeners, addresses: [{ type: 'Hostname', value: 'a.example.com' }, { type: 'IPAddress', value: '10.0.0.1' }] })).toEqual([])
  expect(errors(gateway, { listeners: [...listeners, { name: 'd', port: 80, protocol: 'HTTP' }] })).toEqual(['spec.listeners: self.all(l1, self.exists_one(l2, l1.port'])
  expect(errors(gateway, { listeners: [{ name: 'a', port: 80, protocol: 'TCP', hostname: 'x' }] })).toEqual(["spec.listeners: self.all(l, l.protocol in ['TCP', 'UDP']"])
  expect(errors(gateway, { listeners, addresses: [{ type: 'Hostname', value: '-' }] })).toEqual(["spec.addresses[0]: self.type == 'Hostname' ? self.value.mat"])
})

it('tell good routes from bad', () => {
  const rule = { matches: [{ path: { type: 'PathPrefix', value: '/a' } }], backendRefs: [{ name: 'b', port: 80, weight: 1 }], timeouts: { request: '10s', backendRequest: '2s' } }
  expect(errors(route, { parentRefs: [{ group: 'g', kind: 'k', name: 'a' }], rules: [rule] })).toEqual([])
  expect(errors(route, { rules: [{ ...rule, timeouts: { request: '1s', backendRequest: '2s' } }] })).toEqual(['spec.rules[0].timeouts: !(has(self.request) && has(self.backendR'])
  expect(errors(route, { rules: [{ ...rule, matches: [{ path: { type: 'Exact', value: 'a//b c' } }] }] })).toHaveLength(3)
  expect(errors(route, { rules: [{ ...rule, filters: [{ type: 'RequestRedirect', requestRedirect: {} }, { type: 'URLRewrite' }] }] })).toHaveLength(2)
  const parent = { group: 'g', kind: 'k', name: 'a' }
  expect(errors(route, { parentRefs: [parent, { ...parent, sectionName: 's' }] })).toHaveLength(1)
})

it('tell good pools from bad', () => {
  const good = {
    requirements: [{ key: 'a', operator: 'In', values: ['x'] }, { key: 'b', operator: 'Gt', values: ['5'] }], limits: { cpu: '100m' }, version: '1.2.3', cidr: '10.0.0.0/8', endpoint: 'https://example.com', label: 'a-b', image: 'a:1', class: 'x', features: ['a'],
    end: '2026-01-01T00:00:00Z', grace: '30m',
  }
  expect(errors(pool, good)).toEqual([])
  expect(errors(pool, { ...good, requirements: [{ key: 'b', operator: 'Gt', values: ['-5'] }], limits: { cpu: 0 }, version: '0.9.0', cidr: '::/0', endpoint: 'ftp://x', label: 'A', image: 'a:latest', end: '2019-01-01T00:00:00Z', grace: '2h' }).map((line) => line.split(':')[0])).toEqual(
    ['spec.requirements', 'spec.limits.cpu', 'spec.version', 'spec.cidr', 'spec.endpoint', 'spec.label', 'spec.image', 'spec.end', 'spec.grace'])
  expect(errors(pool, { ...good, class: 'y', features: ['b'], label: undefined }, good).map((line) => line.split(':')[0])).toEqual(['spec', 'spec.class', 'spec.features'])
})
