/** Daemon sets. */
import type { apps } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { notNegative, unchanged } from '../checks.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, containersColumn, imagesColumn, integer, labelsText, nameColumn, printer, selectorColumn, text } from '../printing.ts'
import { collisions, countOrPercent, isZeroCount, lastingPods, ownSelector, revisions, selectedTemplate } from './template.ts'

const daemonSetPrinter = printer<apps.DaemonSet>(
  nameColumn,
  integer('Desired', 'Nodes that should run its pod.', (o) => o.status.desiredNumberScheduled),
  integer('Current', 'Nodes that run its pod and should.', (o) => o.status.currentNumberScheduled),
  integer('Ready', 'Nodes whose pod is ready.', (o) => o.status.numberReady),
  integer('Up-to-date', 'Nodes whose pod has the present template.', (o) => o.status.updatedNumberScheduled ?? 0),
  integer('Available', 'Nodes whose pod has been ready for at least minReadySeconds.', (o) => o.status.numberAvailable ?? 0),
  text('Node Selector', 'Labels of the nodes it is for.', (o) => labelsText(o.spec.template.spec.nodeSelector)),
  ageColumn,
  containersColumn,
  imagesColumn,
  selectorColumn,
)

const withDefaults = (set: apps.DaemonSet): apps.DaemonSet => within(set, 'spec', (spec) => {
  const next = orDefault(spec, { revisionHistoryLimit: 10 })
  return { ...next, updateStrategy: strategyDefaults(next.updateStrategy), template: podTemplateDefaults(next.template) }
})

function strategyDefaults(strategy: apps.DaemonSetUpdateStrategy): apps.DaemonSetUpdateStrategy {
  const next = orDefault(strategy, { type: 'RollingUpdate' })
  return next.type === 'RollingUpdate' ? { ...next, rollingUpdate: orDefault(next.rollingUpdate ?? {}, { maxUnavailable: 1, maxSurge: 0 }) } : next
}

function spec(at: Place, value: apps.DaemonSetSpec): void {
  if (value.selector) ownSelector(at.at('selector'), value.selector, 'daemonset')
  selectedTemplate(at.at('template'), value.template, value.selector)
  lastingPods(at.at('template').at('spec'), value.template.spec, 'DaemonSet')
  revisions(at, value)
  updateStrategy(at.at('updateStrategy'), value.updateStrategy)
}

function updateStrategy(at: Place, { type, rollingUpdate }: apps.DaemonSetUpdateStrategy): void {
  if (type === 'OnDelete') return
  if (type !== 'RollingUpdate') return at.at('type').notSupported(type ?? '', ['RollingUpdate', 'OnDelete'])
  const place = at.at('rollingUpdate')
  if (!rollingUpdate) return place.required()
  const { maxSurge, maxUnavailable } = rollingUpdate
  countOrPercent(place.at('maxUnavailable'), maxUnavailable)
  countOrPercent(place.at('maxSurge'), maxSurge)
  if (isZeroCount(maxUnavailable) && isZeroCount(maxSurge)) place.at('maxUnavailable').required('cannot be 0 when maxSurge is 0')
  if (!isZeroCount(maxUnavailable) && !isZeroCount(maxSurge)) place.at('maxSurge').invalid(maxSurge, 'may not be set when maxUnavailable is non-zero')
}

function validateUpdate(next: apps.DaemonSet, current: apps.DaemonSet, root: Place): void {
  const at = root.at('spec')
  spec(at, next.spec)
  unchanged(at.at('selector'), next.spec.selector, current.spec.selector)
}

const counts = ['currentNumberScheduled', 'numberMisscheduled', 'desiredNumberScheduled', 'numberReady', 'observedGeneration', 'updatedNumberScheduled', 'numberAvailable', 'numberUnavailable', 'collisionCount'] as const

/** Counts in a status: none negative; collisions are only ever added. */
function status(at: Place, next: apps.DaemonSetStatus, current: apps.DaemonSetStatus): void {
  for (const name of counts) notNegative(at.at(name), next[name])
  collisions(at, next, current)
}

const generationKey = 'deprecated.daemonset.template.generation'

/** Counts changes of the template in an annotation that old clients read. */
function templateGeneration(set: apps.DaemonSet, count: number): apps.DaemonSet {
  return { ...set, metadata: { ...set.metadata, annotations: { ...set.metadata.annotations, [generationKey]: String(count) } } }
}

export const daemonsets: Strategy<apps.DaemonSet> = {
  default: withDefaults,
  prepareForCreate: (set) => templateGeneration(set, 1),
  prepareForUpdate: (next, current) => {
    const before = Number(current.metadata.annotations?.[generationKey] ?? 1)
    return templateGeneration(next, deepEqual(next.spec.template, current.spec.template) ? before : before + 1)
  },
  validate: (set, root) => spec(root.at('spec'), set.spec),
  validateUpdate,
  validateStatusUpdate: (next, current, root) => status(root.at('status'), next.status, current.status),
  warnings: (set, current) => templateWarnings(path('spec').at('template'), set, set.spec.template, current),
  printer: daemonSetPrinter,
}
