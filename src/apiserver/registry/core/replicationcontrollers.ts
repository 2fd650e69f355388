/** Replication controllers: what replica sets were before. */
import type { core } from '../../../api/index.ts'
import { path, type Place } from '../../../machinery/field.ts'
import { selectorFromSet } from '../../../machinery/labels.ts'
import type { Strategy } from '../../strategy.ts'
import { lastingPods } from '../apps/template.ts'
import { notNegative } from '../checks.ts'
import { orDefault, within } from '../defaulting.ts'
import { ageColumn, containersColumn, imagesColumn, integer, labelsText, nameColumn, printer, text, wide } from '../printing.ts'
import { podTemplateDefaults } from './defaults/pod-spec.ts'
import { templateWarnings } from './pod-warnings.ts'
import { podTemplate } from './validation/pod-spec.ts'

const controllerPrinter = printer<core.ReplicationController>(
  nameColumn,
  integer('Desired', 'Pods that are wanted.', (o) => o.spec.replicas ?? 0),
  integer('Current', 'Pods that exist.', (o) => o.status.replicas),
  integer('Ready', 'Pods that are ready.', (o) => o.status.readyReplicas ?? 0),
  ageColumn,
  containersColumn,
  imagesColumn,
  wide(text('Selector', 'Which pods belong to it.', (o) => labelsText(o.spec.selector))),
)

/** Its selector and its own labels are those of its template, unless it has some. */
function withDefaults(controller: core.ReplicationController): core.ReplicationController {
  const labels = controller.spec.template?.metadata.labels
  const labelled = labels ? within(controller, 'metadata', (metadata) => orDefault(metadata, { labels })) : controller
  return within(labelled, 'spec', (spec) => {
    const selecting = labels ? orDefault(spec, { selector: labels }) : spec
    return within(orDefault(selecting, { replicas: 1 }), 'template', podTemplateDefaults)
  })
}

function spec(at: Place, value: core.ReplicationControllerSpec): void {
  notNegative(at.at('minReadySeconds'), value.minReadySeconds)
  const selects = Object.keys(value.selector ?? {}).length > 0
  if (!selects) at.at('selector').required()
  notNegative(at.at('replicas'), value.replicas)
  if (!value.template) return at.at('template').required()
  const place = at.at('template')
  const labels = value.template.metadata.labels ?? {}
  if (selects && !selectorFromSet(value.selector).matches(labels)) place.at('metadata').at('labels').invalid(labels, '`selector` does not match template `labels`')
  podTemplate(place, value.template)
  lastingPods(place.at('spec'), value.template.spec, 'ReplicationController')
}

/** Counts in a status: none negative, none above the number of pods there are. */
function status(at: Place, value: core.ReplicationControllerStatus): void {
  for (const name of ['replicas', 'fullyLabeledReplicas', 'readyReplicas', 'availableReplicas', 'observedGeneration'] as const) notNegative(at.at(name), value[name])
  for (const name of ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'] as const) {
    if ((value[name] ?? 0) > value.replicas) at.at(name).invalid(value[name], 'cannot be greater than status.replicas')
  }
  if ((value.availableReplicas ?? 0) > (value.readyReplicas ?? 0)) at.at('availableReplicas').invalid(value.availableReplicas, 'cannot be greater than readyReplicas')
}

export const replicationcontrollers: Strategy<core.ReplicationController> = {
  default: withDefaults,
  validate: (controller, root) => spec(root.at('spec'), controller.spec),
  validateStatusUpdate: (next, _current, root) => status(root.at('status'), next.status),
  warnings: (controller, current) => templateWarnings(path('spec').at('template'), controller, controller.spec.template, current, true),
  selectableFields: (controller) => ({ 'status.replicas': String(controller.status.replicas) }),
  printer: controllerPrinter,
}
