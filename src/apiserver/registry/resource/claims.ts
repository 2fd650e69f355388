/** What claims for devices ask for, alone or in a template. */
import type { dra } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../../machinery/names.ts'
import { distinct, driverName, follows, forEach, ifThere, named, oneOfThese, type Check, type Errors } from '../checks.ts'
import { fullName } from './names.ts'
import { orDefault, within } from '../defaulting.ts'

const exact = <R extends dra.ExactDeviceRequest | dra.DeviceSubRequest>(request: R): R => {
  const next = orDefault<R>(request, { allocationMode: 'ExactCount' } as never)
  return next.allocationMode === 'ExactCount' ? orDefault<R>(next, { count: 1 } as never) : next
}

/** One device, unless more or all are asked for. */
export const claimDefaults = (spec: dra.ResourceClaimSpec): dra.ResourceClaimSpec => within(spec, 'devices', (devices) => within(devices, 'requests', (requests) =>
  requests.map((request) => within(within(request, 'exactly', exact), 'firstAvailable', (list) => list.map(exact)))))

export function* selectors(at: Path, list: readonly dra.DeviceSelector[] | undefined): Check {
  yield* atMost(at, list, 32, function* (selector, place) {
    if (!selector.cel) return yield place.at('cel').required()
    const expression = place.at('cel').at('expression')
    if (!selector.cel.expression) yield expression.required()
    else if (Buffer.byteLength(selector.cel.expression) > longestExpression) yield expression.tooLong(longestExpression)
  })
}

const longestExpression = 10 * 1024
const largestParameters = 10 * 1024

/** A list that is looked at only when it is not too long. */
export const atMost = <L extends readonly unknown[]>(at: Path, list: L | undefined, most: number, check: (item: L[number], at: Path) => Errors): Errors =>
  (list && list.length > most ? [at.tooMany(list.length, most)] : forEach(at, list, check))

export function* configuration(at: Path, value: dra.DeviceConfiguration): Check {
  if (!value.opaque) return yield at.at('opaque').required()
  yield* driverName(at.at('opaque').at('driver'), value.opaque.driver)
  const { parameters } = value.opaque
  if (parameters === null) yield at.at('opaque').at('parameters').required()
  else if (Buffer.byteLength(JSON.stringify(parameters)) > largestParameters) yield at.at('opaque').at('parameters').tooLong(largestParameters)
}

export const taintEffects = ['NoExecute', 'NoSchedule', 'None']

function* toleration(value: dra.DeviceToleration, at: Path): Check {
  if (value.key) yield* follows(at.at('key'), value.key, qualifiedName)
  yield* oneOfThese(at.at('operator'), value.operator, ['Equal', 'Exists'])
  if (value.operator === 'Exists' && value.value) yield at.at('value').invalid(value.value, 'must be empty for operator `Exists`')
  if (value.operator === 'Equal') yield* follows(at.at('value'), value.value ?? '', labelValue)
  yield* ifThere(at.at('effect'), value.effect, taintEffects)
}

function* request(value: dra.ExactDeviceRequest | dra.DeviceSubRequest, at: Path): Check {
  yield* named(at.at('deviceClassName'), value.deviceClassName, dns1123Subdomain)
  yield* selectors(at.at('selectors'), value.selectors)
  const { allocationMode: mode = '' } = value
  if (mode !== 'All' && mode !== 'ExactCount') yield at.at('allocationMode').notSupported(mode, ['All', 'ExactCount'])
  if (value.allocationMode === 'All' && value.count) yield at.at('count').invalid(value.count, "must not be specified when allocationMode is 'All'")
  if (value.allocationMode === 'ExactCount' && (value.count ?? 0) <= 0) yield at.at('count').invalid(value.count ?? 0, 'must be greater than zero')
  yield* atMost(at.at('tolerations'), value.tolerations, 16, toleration)
}

/** The spec of a claim: named requests, and what must hold between them. */
export function* claimSpec(at: Path, { devices }: dra.ResourceClaimSpec): Check {
  const place = at.at('devices')
  const names = new Set(devices.requests.flatMap(({ name, firstAvailable = [] }) => [name, ...firstAvailable.map((sub) => `${name}/${sub.name}`)]))
  yield* atMost(place.at('requests'), devices.requests, 32, oneRequest)
  yield* distinct(place.at('requests'), devices.requests, (value) => value.name)
  const known = (here: Path, list: readonly string[] | undefined): Errors => [...atMost(here, list, 32, reference(names)), ...distinct(here, list, (name) => name)]
  yield* atMost(place.at('constraints'), devices.constraints, 32, function* (constraint, here) {
    yield* known(here.at('requests'), constraint.requests)
    const { matchAttribute, distinctAttribute } = constraint
    if (matchAttribute !== undefined) yield* fullName(here.at('matchAttribute'), matchAttribute)
    else if (distinctAttribute !== undefined) yield* fullName(here.at('distinctAttribute'), distinctAttribute)
    else yield here.required('exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set')
  })
  yield* atMost(place.at('config'), devices.config, 32, function* (config, here) {
    yield* known(here.at('requests'), config.requests)
    yield* configuration(here, config)
  })
}

const eitherOr = 'exactly one of `exactly` or `firstAvailable` is required'

function* oneRequest(value: dra.DeviceRequest, at: Path): Check {
  yield* follows(at.at('name'), value.name, dns1123Label)
  const alternatives = value.firstAvailable ?? []
  if (!value.exactly && alternatives.length === 0) return yield at.required(eitherOr)
  if (value.exactly && alternatives.length > 0) return yield at.invalid(null, `${eitherOr}, but multiple fields are set`)
  if (value.exactly) return yield* request(value.exactly, at.at('exactly'))
  yield* atMost(at.at('firstAvailable'), alternatives, 8, function* (sub, place) {
    yield* follows(place.at('name'), sub.name, dns1123Label)
    yield* request(sub, place)
  })
  yield* distinct(at.at('firstAvailable'), alternatives, (sub) => sub.name)
}

const unknownRequest = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"

/** The name of a request, or of one of its alternatives after a slash. */
const reference = (names: ReadonlySet<string>) => function* (name: string, at: Path): Check {
  const parts = name.split('/')
  if (parts.length <= 2) for (const part of parts) yield* follows(at, part, dns1123Label)
  if (!names.has(name)) yield at.invalid(name, unknownRequest)
}
