/** What claims for devices ask for, alone or in a template. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../../machinery/names.ts'
import { distinct, driverName, follows, forEach, ifThere, named, oneOfThese } from '../checks.ts'
import { deviceExpression } from './expressions.ts'
import { fullName } from './names.ts'
import { orDefault, within } from '../defaulting.ts'

const exact = <R extends dra.ExactDeviceRequest | dra.DeviceSubRequest>(request: R): R => {
  const next = orDefault<R>(request, { allocationMode: 'ExactCount' } as never)
  return next.allocationMode === 'ExactCount' ? orDefault<R>(next, { count: 1 } as never) : next
}

/** One device, unless more or all are asked for. */
export const claimDefaults = (spec: dra.ResourceClaimSpec): dra.ResourceClaimSpec => within(spec, 'devices', (devices) => within(devices, 'requests', (requests) =>
  requests.map((request) => within(within(request, 'exactly', exact), 'firstAvailable', (list) => list.map(exact)))))

/** Validates selectors of devices; those that are `stored` have been compiled before. */
export function selectors(at: Place, list: readonly dra.DeviceSelector[] | undefined, stored = false): void {
  atMost(at, list, 32, (selector, place) => {
    if (!selector.cel) return place.at('cel').required()
    const expression = place.at('cel').at('expression')
    if (!selector.cel.expression) expression.required()
    else if (stored) return
    else if (Buffer.byteLength(selector.cel.expression) > longestExpression) expression.tooLong(longestExpression)
    else deviceExpression(expression, selector.cel.expression)
  })
}

const longestExpression = 10 * 1024
const largestParameters = 10 * 1024

/** A list that is looked at only when it is not too long: then false. */
export function atMost<L extends readonly unknown[]>(at: Place, list: L | undefined, most: number, check: (item: L[number], at: Place) => void): boolean {
  if (list && list.length > most) {
    at.tooMany(list.length, most)
    return false
  }
  forEach(at, list, check)
  return true
}

/** Validates the configuration of devices; what is `stored` may be longer than what is new. */
export function configuration(at: Place, value: dra.DeviceConfiguration, stored = false): void {
  if (!value.opaque) return at.at('opaque').required()
  driverName(at.at('opaque').at('driver'), value.opaque.driver)
  oneObject(at.at('opaque').at('parameters'), value.opaque.parameters, stored ? Infinity : largestParameters)
}

/** Something that only its reader understands: an object, as decoding has made sure, of at most `most` bytes. */
export function oneObject(at: Place, value: unknown, most: number): void {
  if (value === null || value === undefined) at.required()
  else if (Buffer.byteLength(JSON.stringify(value)) > most) at.tooLong(most)
}

export const taintEffects = ['NoExecute', 'NoSchedule', 'None']

/** Validates a toleration of taints of devices. */
export function toleration(value: dra.DeviceToleration, at: Place): void {
  if (value.key) follows(at.at('key'), value.key, qualifiedName)
  oneOfThese(at.at('operator'), value.operator, ['Equal', 'Exists'])
  if (value.operator === 'Exists' && value.value) at.at('value').invalid(value.value, 'must be empty for operator `Exists`')
  if (value.operator === 'Equal') follows(at.at('value'), value.value ?? '', labelValue)
  ifThere(at.at('effect'), value.effect, taintEffects)
}

function request(value: dra.ExactDeviceRequest | dra.DeviceSubRequest, at: Place): void {
  named(at.at('deviceClassName'), value.deviceClassName, dns1123Subdomain)
  selectors(at.at('selectors'), value.selectors)
  const { allocationMode: mode = '' } = value
  if (mode !== 'All' && mode !== 'ExactCount') at.at('allocationMode').notSupported(mode, ['All', 'ExactCount'])
  if (value.allocationMode === 'All' && value.count) at.at('count').invalid(value.count, "must not be specified when allocationMode is 'All'")
  if (value.allocationMode === 'ExactCount' && (value.count ?? 0) <= 0) at.at('count').invalid(value.count ?? 0, 'must be greater than zero')
  atMost(at.at('tolerations'), value.tolerations, 16, toleration)
}

/** The names of requests, and of their alternatives. */
export const requestNames = ({ devices }: dra.ResourceClaimSpec): ReadonlySet<string> =>
  new Set(devices.requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)]))

/** A list of them, each once. */
export function knownRequests(at: Place, list: readonly string[] | undefined, names: ReadonlySet<string>): void {
  if (atMost(at, list, 32, reference(names))) distinct(at, list, (name) => name)
}

/** The spec of a claim: named requests, and what must hold between them. */
export function claimSpec(at: Place, { devices }: dra.ResourceClaimSpec): void {
  const place = at.at('devices')
  const names = requestNames({ devices })
  if (atMost(place.at('requests'), devices.requests, 32, oneRequest)) distinct(place.at('requests'), devices.requests, (value) => value.name)
  const known = (here: Place, list: readonly string[] | undefined): void => knownRequests(here, list, names)
  atMost(place.at('constraints'), devices.constraints, 32, (constraint, here) => {
    known(here.at('requests'), constraint.requests)
    const { matchAttribute, distinctAttribute } = constraint
    if (matchAttribute !== undefined) fullName(here.at('matchAttribute'), matchAttribute)
    else if (distinctAttribute !== undefined) fullName(here.at('distinctAttribute'), distinctAttribute)
    else here.required('exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set')
  })
  atMost(place.at('config'), devices.config, 32, (config, here) => {
    known(here.at('requests'), config.requests)
    configuration(here, config)
  })
}

const eitherOr = 'exactly one of `exactly` or `firstAvailable` is required'

function oneRequest(value: dra.DeviceRequest, at: Place): void {
  follows(at.at('name'), value.name, dns1123Label)
  const alternatives = value.firstAvailable ?? []
  if (!value.exactly && alternatives.length === 0) return at.required(eitherOr)
  if (value.exactly && alternatives.length > 0) return at.invalid(null, `${eitherOr}, but multiple fields are set`)
  if (value.exactly) return request(value.exactly, at.at('exactly'))
  const fits = atMost(at.at('firstAvailable'), alternatives, 8, (sub, place) => {
    follows(place.at('name'), sub.name, dns1123Label)
    request(sub, place)
  })
  if (fits) distinct(at.at('firstAvailable'), alternatives, (sub) => sub.name)
}

const unknownRequest = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

/** The name of a request, or of one of its alternatives after a slash. */
export const reference = (names: ReadonlySet<string>) => (name: string, at: Place): void => {
  const parts = name.split('/')
  if (parts.length > 2) return at.invalid(name, unknownRequest)
  for (const part of parts) follows(at, part, dns1123Label)
  if (!names.has(name)) at.invalid(name, unknownRequest)
}
