/** Where a pod may be scheduled: tolerations, affinity, spreading, gates. */
import type { core, meta } from '../../../../api/index.ts'
import type { Path } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, oneOfThese, positive, selector, type Check } from '../../checks.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function* toleration(value: core.Toleration, at: Path): Check {
  const operator = value.operator || 'Equal'
  if (value.key) yield* follows(at.at('key'), value.key, qualifiedName)
  else if (operator !== 'Exists') {
    yield at.at('operator').invalid(value.operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"')
  }
  if (value.tolerationSeconds !== undefined && value.effect !== 'NoExecute') {
    yield at.at('effect').invalid(value.effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set")
  }
  if (operator === 'Equal') {
    const problems = labelValue(value.value ?? '')
    if (problems.length > 0) yield at.at('operator').invalid(value.value, problems.join(';'))
  } else if (operator === 'Exists') {
    if (value.value) yield at.at('operator').invalid(value.value, "value must be empty when `operator` is 'Exists'")
  } else yield at.at('operator').notSupported(operator, ['Equal', 'Exists'])
  if (value.effect) yield* ifThere(at.at('effect'), value.effect, effects)
}

export function* taint(value: core.Taint, at: Path): Check {
  yield* follows(at.at('key'), value.key, qualifiedName)
  const problems = labelValue(value.value ?? '')
  if (problems.length > 0) yield at.at('value').invalid(value.value, problems.join(';'))
  yield* oneOfThese(at.at('effect'), value.effect, effects)
}

/** Terms of which one must hold; a selector without terms selects nothing, which is refused. */
export function* nodeSelector(at: Path, value: core.NodeSelector): Check {
  if (value.nodeSelectorTerms.length === 0) return yield at.at('nodeSelectorTerms').required('must have at least one node selector term')
  yield* forEach(at.at('nodeSelectorTerms'), value.nodeSelectorTerms, (term, place) => nodeSelectorTerm(term, place, true))
}

/** In a `strict` term values must be able to be values of labels; a preference may name what no node can have. */
function* nodeSelectorTerm(term: core.NodeSelectorTerm, at: Path, strict: boolean): Check {
  yield* forEach(at.at('matchExpressions'), term.matchExpressions, nodeRequirement)
  if (strict) {
    yield* forEach(at.at('matchExpressions'), term.matchExpressions, ({ values }, place) =>
      forEach(place.at('values'), values, (value, here) => follows(here, value, labelValue)))
  }
  yield* forEach(at.at('matchFields'), term.matchFields, nodeField)
}

function* nodeRequirement({ key, operator, values = [] }: core.NodeSelectorRequirement, at: Path): Check {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) yield at.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) yield at.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) yield at.at('values').required("must be specified single value when `operator` is 'Lt' or 'Gt'")
      break
    default:
      yield at.at('operator').invalid(operator, 'not a valid selector operator')
  }
  yield* follows(at.at('key'), key, qualifiedName)
}

function* nodeField({ key, operator, values = [] }: core.NodeSelectorRequirement, at: Path): Check {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1) yield at.at('values').required('must be only one value when `operator` is \'In\' or \'NotIn\' for node field selector')
  } else yield at.at('operator').invalid(operator, 'not a valid selector operator')
  if (key !== 'metadata.name') yield at.at('key').invalid(key, 'not a valid field selector key')
  else yield* forEach(at.at('values'), values, (value, place) => follows(place, value, dns1123Subdomain))
}

const weight = (at: Path, value: number): Check => (function* () {
  if (value < 1 || value > 100) yield at.at('weight').invalid(value, 'must be in the range 1-100')
})()

export function* affinity(at: Path, value: core.Affinity | undefined): Check {
  if (!value) return
  if (value.nodeAffinity) yield* nodeAffinity(at.at('nodeAffinity'), value.nodeAffinity)
  for (const name of ['podAffinity', 'podAntiAffinity'] as const) {
    const part = value[name]
    if (!part) continue
    const place = at.at(name)
    yield* forEach(place.at('requiredDuringSchedulingIgnoredDuringExecution'), part.requiredDuringSchedulingIgnoredDuringExecution, podAffinityTerm)
    yield* forEach(place.at('preferredDuringSchedulingIgnoredDuringExecution'), part.preferredDuringSchedulingIgnoredDuringExecution, function* (term, here) {
      yield* weight(here, term.weight)
      yield* podAffinityTerm(term.podAffinityTerm, here.at('podAffinityTerm'))
    })
  }
}

function* nodeAffinity(at: Path, value: core.NodeAffinity): Check {
  const required = value.requiredDuringSchedulingIgnoredDuringExecution
  if (required) yield* nodeSelector(at.at('requiredDuringSchedulingIgnoredDuringExecution'), required)
  yield* forEach(at.at('preferredDuringSchedulingIgnoredDuringExecution'), value.preferredDuringSchedulingIgnoredDuringExecution, function* (term, here) {
    yield* weight(here, term.weight)
    yield* nodeSelectorTerm(term.preference, here.at('preference'), false)
  })
}

function* podAffinityTerm(term: core.PodAffinityTerm, at: Path): Check {
  yield* selector(at.at('labelSelector'), term.labelSelector)
  yield* selector(at.at('namespaceSelector'), term.namespaceSelector)
  yield* forEach(at.at('namespaces'), term.namespaces, (name) => follows(at.at('namespace'), name, dns1123Label))
  yield* labelKeys(at, term)
  if (!term.topologyKey) yield at.at('topologyKey').required('can not be empty')
  yield* follows(at.at('topologyKey'), term.topologyKey, qualifiedName)
}

/** How evenly pods are spread over the values of a node label. */
export function* spreadConstraints(at: Path, list: readonly core.TopologySpreadConstraint[] | undefined): Check {
  yield* forEach(at, list, function* (constraint, place) {
    yield* positive(place.at('maxSkew'), constraint.maxSkew)
    if (!constraint.topologyKey) yield place.at('topologyKey').required('can not be empty')
    yield* ifThere(place.at('whenUnsatisfiable'), constraint.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'])
    if (constraint.minDomains !== undefined) {
      yield* positive(place.at('minDomains'), constraint.minDomains)
      if (constraint.whenUnsatisfiable !== 'DoNotSchedule') {
        yield place.at('minDomains').invalid(constraint.minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${constraint.whenUnsatisfiable}`)
      }
    }
    yield* ifThere(place.at('nodeAffinityPolicy'), constraint.nodeAffinityPolicy, ['Honor', 'Ignore'])
    yield* ifThere(place.at('nodeTaintsPolicy'), constraint.nodeTaintsPolicy, ['Honor', 'Ignore'])
    yield* labelKeys(place, constraint)
    yield* selector(place.at('labelSelector'), constraint.labelSelector)
  })
  if (list && list.length > 1) yield* repeatedConstraints(at, list)
}

/** Of two constraints of the same kind the earlier one is named. */
function* repeatedConstraints(at: Path, list: readonly core.TopologySpreadConstraint[]): Check {
  const kinds = list.map((c) => `{${c.topologyKey}, ${c.whenUnsatisfiable}}`)
  for (const [i, kind] of kinds.entries()) if (kinds.includes(kind, i + 1)) yield at.index(i).at('{topologyKey, whenUnsatisfiable}').duplicate(kind)
}

interface ByLabels { readonly labelSelector?: meta.LabelSelector | undefined; readonly matchLabelKeys?: readonly string[] | undefined; readonly mismatchLabelKeys?: readonly string[] | undefined }

/**
 * Keys whose values are taken from the pod itself. When this runs, they have been put into the selector already: a key that is there
 * twice is one that the client put there too.
 */
function* labelKeys(at: Path, { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: ByLabels): Check {
  for (const [name, keys] of [['matchLabelKeys', matchLabelKeys], ['mismatchLabelKeys', mismatchLabelKeys]] as const) {
    if (keys.length > 0 && !labelSelector) yield at.at(name).forbidden('must not be specified when labelSelector is not set')
    else yield* forEach(at.at(name), keys, (key, place) => follows(place, key, qualifiedName))
  }
  if (matchLabelKeys.length > 0 && labelSelector) {
    const seen = new Set(Object.keys(labelSelector.matchLabels ?? {}))
    for (const { key } of labelSelector.matchExpressions ?? []) {
      const i = matchLabelKeys.indexOf(key)
      if (i >= 0 && seen.has(key)) yield at.index(i).invalid(key, 'exists in both matchLabelKeys and labelSelector')
      seen.add(key)
    }
  }
  for (const [i, key] of matchLabelKeys.entries()) {
    if (mismatchLabelKeys.includes(key)) yield at.at('matchLabelKeys').index(i).invalid(key, 'exists in both matchLabelKeys and mismatchLabelKeys')
  }
}

/** What keeps a pod from being scheduled: qualified names, each once. */
export function* schedulingGates(at: Path, gates: readonly core.PodSchedulingGate[] | undefined): Check {
  yield* forEach(at, gates, (gate, place) => follows(place, gate.name, qualifiedName))
  yield* distinct(at, gates, (gate) => gate.name)
}
