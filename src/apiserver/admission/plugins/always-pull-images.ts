/** Every pod pulls its images anew, so that nobody runs a private image from a node's disk without the right to pull it. Off by default. */
import type { core } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { isPod, podOf, refused } from '../pods.ts'

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const
type Container = core.Container | core.EphemeralContainer
const containersIn = ({ spec }: core.Pod): readonly Container[] => lists.flatMap((list): readonly Container[] => spec[list] ?? [])
const imagesIn = (pod: core.Pod): readonly string[] => [...containersIn(pod).map(({ image = '' }) => image), ...(pod.spec.volumes ?? []).flatMap(({ image }) => (image ? [image.reference ?? ''] : []))]

/** A change that brings no image of its own leaves those alone that were there before the plugin was. */
function bringsImages({ operation, object, old }: AdmissionAttributes): boolean {
  if (operation !== 'UPDATE') return true
  const before = new Set(imagesIn(old as unknown as core.Pod))
  return imagesIn(object as unknown as core.Pod).some((image) => !before.has(image))
}

export function alwaysPullImages(): AdmissionPlugin {
  return {
    name: 'AlwaysPullImages',
    handles: (a) => isPod(a) && (a.operation === 'CREATE' || a.operation === 'UPDATE') && bringsImages(a),
    mutate(a) {
      const pod = podOf(a)
      const spec = { ...pod.spec } as Record<string, unknown>
      for (const list of lists) if (pod.spec[list]) spec[list] = pod.spec[list].map((container) => ({ ...container, imagePullPolicy: 'Always' }))
      if (pod.spec.volumes) spec['volumes'] = pod.spec.volumes.map((volume) => (volume.image ? { ...volume, image: { ...volume.image, pullPolicy: 'Always' } } : volume))
      return { ...pod, spec } as never
    },
    validate(a) {
      const { spec } = podOf(a)
      const errors = [
        ...lists.flatMap((list) => (spec[list] ?? []).flatMap(({ imagePullPolicy }: Container, i) =>
          (imagePullPolicy === 'Always' ? [] : [path('spec').at(list).index(i).at('imagePullPolicy').notSupported(imagePullPolicy ?? '', ['Always'])]))),
        ...(spec.volumes ?? []).flatMap(({ image }, i) =>
          (!image || image.pullPolicy === 'Always' ? [] : [path('spec').at('volumes').index(i).at('image').at('pullPolicy').notSupported(image.pullPolicy ?? '', ['Always'])])),
      ]
      const [first] = errors
      if (first) throw refused(a, errors.length === 1 ? String(first) : `[${errors.map(String).join(', ')}]`)
    },
  }
}
