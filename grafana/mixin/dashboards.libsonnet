// Made by `npm run dashboards`.
{
  'queuescope-overview.json': import '../dashboards/overview.json',
  'queuescope-queue.json': import '../dashboards/queue.json',
  'queuescope-workers.json': import '../dashboards/workers.json',
  'queuescope-sla.json': import '../dashboards/sla.json',
  'queuescope-runtime.json': import '../dashboards/runtime.json',
}
