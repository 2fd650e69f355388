/** Where a pod may be scheduled: tolerations, affinity, spreading, gates. */
import type { core, meta } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '../../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, oneOfThese, positive, selector } from '../../checks.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

/** Validates one toleration. */
export function toleration(value: core.Toleration, at: Place): void {
  const operator = value.operator || 'Equal'
  if (value.key) follows(at.at('key'), value.key, qualifiedName)
  else if (operator !== 'Exists') {
    at.at('operator').invalid(value.operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"')
  }
  if (value.tolerationSeconds !== undefined && value.effect !== 'NoExecute') {
    at.at('effect').invalid(value.effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set")
  }
  if (operator === 'Equal') {
    const problems = labelValue(value.value ?? '')
    if (problems.length > 0) at.at('operator').invalid(value.value, problems.join(';'))
  } else if (operator === 'Exists') {
    if (value.value) at.at('operator').invalid(value.value, "value must be empty when `operator` is 'Exists'")
  } else at.at('operator').notSupported(operator, ['Equal', 'Exists'])
  if (value.effect) ifThere(at.at('effect'), value.effect, effects)
}

/** Validates one taint. */
export function taint(value: core.Taint, at: Place): void {
  follows(at.at('key'), value.key, qualifiedName)
  const problems = labelValue(value.value ?? '')
  if (problems.length > 0) at.at('value').invalid(value.value, problems.join(';'))
  oneOfThese(at.at('effect'), value.effect, effects)
}

/** Terms of which one must hold; a selector without terms selects nothing, which is refused. */
export function nodeSelector(at: Place, value: core.NodeSelector): void {
  if (value.nodeSelectorTerms.length === 0) return at.at('nodeSelectorTerms').required('must have at least one node selector term')
  forEach(at.at('nodeSelectorTerms'), value.nodeSelectorTerms, (term, place) => nodeSelectorTerm(term, place, true))
}

/** In a `strict` term values must be able to be values of labels; a preference may name what no node can have. */
function nodeSelectorTerm(term: core.NodeSelectorTerm, at: Place, strict: boolean): void {
  forEach(at.at('matchExpressions'), term.matchExpressions, nodeRequirement)
  if (strict) {
    forEach(at.at('matchExpressions'), term.matchExpressions, ({ values }, place) =>
      forEach(place.at('values'), values, (value, here) => follows(here, value, labelValue)))
  }
  forEach(at.at('matchFields'), term.matchFields, nodeField)
}

function nodeRequirement({ key, operator, values = [] }: core.NodeSelectorRequirement, at: Place): void {
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (values.length === 0) at.at('values').required("must be specified when `operator` is 'In' or 'NotIn'")
      break
    case 'Exists':
    case 'DoesNotExist':
      if (values.length > 0) at.at('values').forbidden("may not be specified when `operator` is 'Exists' or 'DoesNotExist'")
      break
    case 'Gt':
    case 'Lt':
      if (values.length !== 1) at.at('values').required("must be specified single value when `operator` is 'Lt' or 'Gt'")
      break
    default:
      at.at('operator').invalid(operator, 'not a valid selector operator')
  }
  follows(at.at('key'), key, qualifiedName)
}

function nodeField({ key, operator, values = [] }: core.NodeSelectorRequirement, at: Place): void {
  if (operator === 'In' || operator === 'NotIn') {
    if (values.length !== 1) at.at('values').required('must be only one value when `operator` is \'In\' or \'NotIn\' for node field selector')
  } else at.at('operator').invalid(operator, 'not a valid selector operator')
  if (key !== 'metadata.name') at.at('key').invalid(key, 'not a valid field selector key')
  else forEach(at.at('values'), values, (value, place) => follows(place, value, dns1123Subdomain))
}

const weight = (at: Place, value: number): void => (() => {
  if (value < 1 || value > 100) at.at('weight').invalid(value, 'must be in the range 1-100')
})()

/** Validates node affinity and inter-pod (anti-)affinity. */
export function affinity(at: Place, value: core.Affinity | undefined): void {
  if (!value) return
  if (value.nodeAffinity) nodeAffinity(at.at('nodeAffinity'), value.nodeAffinity)
  for (const name of ['podAffinity', 'podAntiAffinity'] as const) {
    const part = value[name]
    if (!part) continue
    const place = at.at(name)
    forEach(place.at('requiredDuringSchedulingIgnoredDuringExecution'), part.requiredDuringSchedulingIgnoredDuringExecution, podAffinityTerm)
    forEach(place.at('preferredDuringSchedulingIgnoredDuringExecution'), part.preferredDuringSchedulingIgnoredDuringExecution, (term, here) => {
      weight(here, term.weight)
      podAffinityTerm(term.podAffinityTerm, here.at('podAffinityTerm'))
    })
  }
}

function nodeAffinity(at: Place, value: core.NodeAffinity): void {
  const required = value.requiredDuringSchedulingIgnoredDuringExecution
  if (required) nodeSelector(at.at('requiredDuringSchedulingIgnoredDuringExecution'), required)
  forEach(at.at('preferredDuringSchedulingIgnoredDuringExecution'), value.preferredDuringSchedulingIgnoredDuringExecution, (term, here) => {
    weight(here, term.weight)
    nodeSelectorTerm(term.preference, here.at('preference'), false)
  })
}

function podAffinityTerm(term: core.PodAffinityTerm, at: Place): void {
  selector(at.at('labelSelector'), term.labelSelector)
  selector(at.at('namespaceSelector'), term.namespaceSelector)
  forEach(at.at('namespaces'), term.namespaces, (name) => follows(at.at('namespace'), name, dns1123Label))
  labelKeys(at, term)
  if (!term.topologyKey) at.at('topologyKey').required('can not be empty')
  follows(at.at('topologyKey'), term.topologyKey, qualifiedName)
}

/** How evenly pods are spread over the values of a node label. */
export function spreadConstraints(at: Place, list: readonly core.TopologySpreadConstraint[] | undefined): void {
  forEach(at, list, (constraint, place) => {
    positive(place.at('maxSkew'), constraint.maxSkew)
    if (!constraint.topologyKey) place.at('topologyKey').required('can not be empty')
    ifThere(place.at('whenUnsatisfiable'), constraint.whenUnsatisfiable, ['DoNotSchedule', 'ScheduleAnyway'])
    if (constraint.minDomains !== undefined) {
      positive(place.at('minDomains'), constraint.minDomains)
      if (constraint.whenUnsatisfiable !== 'DoNotSchedule') {
        place.at('minDomains').invalid(constraint.minDomains, `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${constraint.whenUnsatisfiable}`)
      }
    }
    ifThere(place.at('nodeAffinityPolicy'), constraint.nodeAffinityPolicy, ['Honor', 'Ignore'])
    ifThere(place.at('nodeTaintsPolicy'), constraint.nodeTaintsPolicy, ['Honor', 'Ignore'])
    labelKeys(place, constraint)
    selector(place.at('labelSelector'), constraint.labelSelector)
  })
  if (list && list.length > 1) repeatedConstraints(at, list)
}

/** Of two constraints of the same kind the earlier one is named. */
function repeatedConstraints(at: Place, list: readonly core.TopologySpreadConstraint[]): void {
  const kinds = list.map((c) => `{${c.topologyKey}, ${c.whenUnsatisfiable}}`)
  for (const [i, kind] of kinds.entries()) if (kinds.includes(kind, i + 1)) at.index(i).at('{topologyKey, whenUnsatisfiable}').duplicate(kind)
}

interface ByLabels { readonly labelSelector?: meta.LabelSelector | undefined; readonly matchLabelKeys?: readonly string[] | undefined; readonly mismatchLabelKeys?: readonly string[] | undefined }

/**
 * Keys whose values are taken from the pod itself. When this runs, they have been put into the selector already: a key that is there
 * twice is one that the client put there too.
 */
function labelKeys(at: Place, { labelSelector, matchLabelKeys = [], mismatchLabelKeys = [] }: ByLabels): void {
  for (const [name, keys] of [['matchLabelKeys', matchLabelKeys], ['mismatchLabelKeys', mismatchLabelKeys]] as const) {
    if (keys.length > 0 && !labelSelector) at.at(name).forbidden('must not be specified when labelSelector is not set')
    else forEach(at.at(name), keys, (key, place) => follows(place, key, qualifiedName))
  }
  if (matchLabelKeys.length > 0 && labelSelector) {
    const seen = new Set(Object.keys(labelSelector.matchLabels ?? {}))
    for (const { key } of labelSelector.matchExpressions ?? []) {
      const i = matchLabelKeys.indexOf(key)
      if (i >= 0 && seen.has(key)) at.index(i).invalid(key, 'exists in both matchLabelKeys and labelSelector')
      seen.add(key)
    }
  }
  for (const [i, key] of matchLabelKeys.entries()) {
    if (mismatchLabelKeys.includes(key)) at.at('matchLabelKeys').index(i).invalid(key, 'exists in both matchLabelKeys and mismatchLabelKeys')
  }
}

/** What keeps a pod from being scheduled: qualified names, each once. */
export function schedulingGates(at: Place, gates: readonly core.PodSchedulingGate[] | undefined): void {
  forEach(at, gates, (gate, place) => follows(place, gate.name, qualifiedName))
  distinct(at, gates, (gate) => gate.name)
}
