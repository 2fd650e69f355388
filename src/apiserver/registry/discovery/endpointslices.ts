/** Endpoint slices. */
import type { discovery } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName, validateLabels, type NameRule } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { addressWarnings, isOwnEndpoint, ordinaryAddress, plainAddress, unless } from '../addresses.ts'
import { distinct, follows, forEach, oneOfThese, unchanged, within as inRange } from '../checks.ts'
import { each, orDefault } from '../defaulting.ts'
import { ageColumn, firstFew, nameColumn, orUnset, printer, text } from '../printing.ts'

const withDefaults = (slice: discovery.EndpointSlice): discovery.EndpointSlice =>
  each(slice, 'ports', (p) => orDefault(p, { name: '', protocol: 'TCP' }))

const types = ['FQDN', 'IPv4', 'IPv6']
const maxEndpoints = 1000
const maxAddresses = 100

function validate(slice: discovery.EndpointSlice, root: Place, rule: NameRule = plainAddress): void {
  oneOfThese(root.at('addressType'), slice.addressType, types)
  if (slice.endpoints.length > maxEndpoints) root.at('endpoints').tooMany(slice.endpoints.length, maxEndpoints)
  else forEach(root.at('endpoints'), slice.endpoints, (endpoint, at) => oneEndpoint(endpoint, at, slice.addressType, isOwnEndpoint(slice), rule))
  if (slice.ports.length > 20000) return root.at('ports').tooMany(slice.ports.length, 20000)
  const names = new Set<string>()
  forEach(root.at('ports'), slice.ports, (p, at) => {
    const { name = '' } = p
    if (name) follows(at.at('name'), name, dns1123Label)
    if (names.has(name)) at.at('name').duplicate(name)
    names.add(name)
    oneOfThese(at.at('protocol'), p.protocol, ['SCTP', 'TCP', 'UDP'])
    inRange(at.at('port'), p.port, 1, 65535)
    if (p.appProtocol) follows(at.at('appProtocol'), p.appProtocol, qualifiedName)
  })
}

function oneEndpoint(value: discovery.Endpoint, at: Place, type: string, own: boolean, rule: NameRule): void {
  const place = at.at('addresses')
  if (value.addresses.length === 0) place.required('must contain at least 1 address')
  if (value.addresses.length > maxAddresses) place.tooMany(value.addresses.length, maxAddresses)
  forEach(place, value.addresses, (address, here) => oneAddress(address, here, type, own, rule))
  if (value.hostname !== undefined) follows(at.at('hostname'), value.hostname, dns1123Label)
  if (value.nodeName !== undefined) follows(at.at('nodeName'), value.nodeName, dns1123Subdomain)
  const topology = at.at('deprecatedTopology')
  const keys = Object.keys(value.deprecatedTopology ?? {})
  if (keys.length > 16) topology.tooMany(keys.length, 16)
  validateLabels(value.deprecatedTopology, topology)
  hints(at.at('hints').at('forZones'), value.hints?.forZones, labelValue)
  hints(at.at('hints').at('forNodes'), value.hints?.forNodes, dns1123Subdomain)
}

const maxHints = 8

function hints(at: Place, list: readonly { readonly name: string }[] | undefined, rule: NameRule): void {
  if ((list ?? []).length > maxHints) return at.tooMany(list?.length ?? 0, maxHints)
  distinct(at, list, ({ name }) => name, 'name')
  forEach(at, list, ({ name }, place) => follows(place.at('name'), name, rule))
}

/** The name of a host outside: of two parts at least, with or without the dot at the end. */
function fullName(at: Place, value: string): void {
  if (!value) return at.required()
  const name = value.replace(/\.$/, '')
  const problems = dns1123Subdomain(name)
  if (problems.length > 0) return at.invalid(value, problems.join(','))
  if (!name.includes('.')) return at.invalid(value, 'should be a domain with at least two segments separated by dots')
  for (const part of name.split('.')) {
    const wrong = dns1123Label(part)
    if (wrong.length > 0) at.invalid(value, wrong.join(','))
  }
}

function oneAddress(address: string, at: Place, type: string, own: boolean, rule: NameRule): void {
  if (type === 'FQDN') return fullName(at, address)
  const problems = rule(address)
  for (const why of problems) at.invalid(address, why)
  if (problems.length > 0) return
  const v6 = address.includes(':')
  if (type === 'IPv4' && v6) at.invalid(address, 'must be an IPv4 address')
  if (type === 'IPv6' && !v6) at.invalid(address, 'must be an IPv6 address')
  if (!own) ordinaryAddress(at, address)
}

/** Places of endpoints as version 1 does not write them any more: what is said of them is passed over. */
function withoutTopology(slice: discovery.EndpointSlice): discovery.EndpointSlice {
  if (slice.endpoints.every(({ deprecatedTopology }) => deprecatedTopology === undefined)) return slice
  return { ...slice, endpoints: slice.endpoints.map((endpoint) => ({ ...endpoint, deprecatedTopology: undefined })) }
}

/** A slice moves with its labels too: they say whose it is. */
const moved = (next: discovery.EndpointSlice, current: discovery.EndpointSlice): boolean =>
  !deepEqual({ ...next, metadata: next.metadata.labels ?? {} }, { ...current, metadata: current.metadata.labels ?? {} })

export const endpointslices: Strategy<discovery.EndpointSlice> = {
  counted: true,
  moved,
  default: withDefaults,
  prepareForCreate: withoutTopology,
  prepareForUpdate: (next, current) => (deepEqual(next.endpoints, current.endpoints) ? next : withoutTopology(next)),
  validate: (slice, root) => validate(slice, root),
  validateUpdate: (next, current, root) => {
    validate(next, root, unless(current.endpoints.flatMap(({ addresses }): readonly string[] => addresses), plainAddress))
    unchanged(root.at('addressType'), next.addressType, current.addressType)
  },
  warnings: ({ addressType, endpoints }) => (addressType === 'FQDN' ? [] : endpoints.flatMap(({ addresses }, i) =>
    addresses.flatMap((address, j) => addressWarnings(path('endpoints').index(i).at('addresses').index(j), address)))),
  printer: printer<discovery.EndpointSlice>(
    nameColumn,
    text('AddressType', 'Of which kind its addresses are.', (o) => o.addressType),
    text('Ports', 'Ports that all its endpoints have.', (o) => orUnset(firstFew(o.ports.map((p) => (p.port === undefined ? p.name ?? '*' : String(p.port))), 3))),
    text('Endpoints', 'Addresses it holds.', (o) => orUnset(firstFew(o.endpoints.flatMap((e): readonly string[] => e.addresses), 3))),
    ageColumn,
  ),
}
