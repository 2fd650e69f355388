import { maxScore } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

const megabyte = 1024 * 1024
/** Less than this is not worth considering; more, per container, counts as this much. */
const [least, most] = [23 * megabyte, 1000 * megabyte]

/** An image's name with a tag: `nginx` is `nginx:latest`. */
export const tagged = (image: string): string => (image.lastIndexOf(':') <= image.lastIndexOf('/') ? `${image}:latest` : image)

/** Nodes that have the pod's images already are better, but less so for images that few nodes have: pods shall not flock to one. */
export const imageLocality: Plugin = {
  name: 'ImageLocality',
  weight: 1,
  score({ pod }, cluster) {
    const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers]
    const images = all.map((c) => tagged(c.image ?? ''))
    const spread = new Map([...new Set(images)].map((image) => [image, cluster.nodes.filter((n) => n.images.has(image)).length / cluster.nodes.length]))
    const ceiling = most * all.length
    return {
      score(node) {
        const bytes = images.reduce((sum, image) => sum + Math.floor((node.images.get(image) ?? 0) * (spread.get(image) ?? 0)), 0)
        return Math.floor((maxScore * (Math.min(Math.max(bytes, least), ceiling) - least)) / (ceiling - least))
      },
    }
  },
}
