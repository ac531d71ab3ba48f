//! What fleet.toml holds.

/// The sections of fleet.toml; `tests` compares them with those that its reader takes.
pub(super) const TABLE: &str = r"
Fleet # A fleet needs only [fleet] name and one [[clusters]].
  fleet: fleet
  clusters: [clusters]
  limits?: limits
  waves?: waves
  undo?: undo
  plan?: plan
  windows?: {windows.NAME} # When releases may be begun.
  freezes?: {freezes.NAME} # When nothing is written.
  budget?: budget
  gates?: {gates.NAME | 'off'} # What must hold after a wave; off switches a playbook's off.
  peers?: [peers] # Never in one wave.
  risk?: risk
  cost?: cost
  policy?: [policy] # The first rule that matches decides.
  audit?: audit
fleet # The fleet as a whole.
  name: string
  deadline?: date # Default: the end of Helm v3's security fixes.
  timezone?: string # IANA name, for times without a zone.
  manager?: string # One field manager everywhere.
  aliases?: [string] # Globs of older names of the same owner.
  state?: string # The journal, relative to this file.
  playbook?: string # What refit playbook list shows; keys of this file override it.
clusters # Contexts of a kubeconfig: either context or contexts.
  name?: string # Goes with context.
  context?: string
  contexts?: string # A glob.
  kubeconfig?: string # Relative to this file.
  labels?: {string}
  limits?: clusters.limits
  windows?: [string] # Names under [windows].
  timezone?: string
  tenant?: string # The label tenant.
clusters.limits
  writes_per_second?: count
  in_flight?: count # Releases at once.
limits # Defaults of clusters, and the fleet's bound.
  writes_per_second?: count # The whole fleet.
  cluster_writes_per_second?: count # Each cluster without limits of its own.
  in_flight?: count # Releases at once, for each such cluster.
undo
  dwell?: string # How long an undo's lock stays: 30s.
plan
  start_within?: string # A plan is refused once it is older: 168h.
waves # One of sizes, doubling, shares, stages.
  sizes?: sizes # Releases, or percent of all; the last repeats.
  doubling?: count # Size of the first; each has twice as many as the one before.
  shares?: [percent] # By the release's name alone: a new release moves nobody.
  stages?: [waves.stages] # A release belongs to the first that takes it.
  canary?: 'none' | 'coverage' | waves.canary
  caps?: {count} # releases_per_X or clusters_per_X; X is wave, cluster, namespace, chart, release or a label.
  soak?: string | {string} # How long a wave is watched: one time, or by all, prod, nonprod, or a selector.
  approve?: [string] # Globs of waves that somebody other than the author approves.
  lanes?: string # fleet, cluster, or a label: each waits for its own waves only.
  held_dependency?: 'go-on' | 'hold' # hold: who needs a held release is held too.
  seed?: count # Another number cuts the same fleet another way.
waves.stages
  name: string
  select?: string # Labels of the release, then of its cluster.
  sizes?: sizes
  doubling?: count
  shares?: [percent]
waves.canary # The fewest releases that show every signature.
  select?: string
  max_risk?: count
  max_releases?: count
sizes = [count | percent]
peers # Either sides, or group and side.
  name?: string
  sides?: [string] # Selectors, two at least.
  group?: string
  side?: string
risk # How risk is counted and used.
  weights?: risk.weights
  tier_label?: string
  high?: count
  low?: count
  order?: 'low-first' | 'high-first'
  defer_low_until?: date
risk.weights # Most points of each part of the score.
  dependents?: count
  replicas?: count
  drift?: count
  hooks?: count
  age?: count
  tiers?: {count} # By the value of the tier label.
cost # What a write takes, to foretell the calendar.
  millis_per_write?: count
  measured?: {count} # By cluster.
windows.NAME # Either days, from and to, or cron and for.
  days?: string # Mon-Fri
  from?: string
  to?: string
  cron?: string
  for?: string
  timezone?: string # cluster, or an IANA name.
freezes.NAME # The last day is included.
  from: date
  to: date
  timezone?: string
  select?: string # Labels of clusters.
gates.NAME
  check: 'health' | 'conflict-rate' | 'ownership' | 'http' | 'prometheus' | 'command' | 'plugin'
  after?: [string] # Globs of waves; all if absent.
  within?: string
  at_most?: percent
  url?: string
  status?: count
  query?: string
  argv?: [string]
  timeout?: string
  plugin?: string
budget # Per wave; without a bound if absent.
  failed?: count
  undone?: count
  conflict_rate?: percent
  spent?: 'stop' | 'undo-cluster' | 'undo-wave'
policy # Either conflict or drop.
  kind?: texts
  field?: texts
  owner?: texts
  namespace?: texts
  labels?: {string}
  chart?: texts
  conflict?: 'adopt-live' | 'yield' | 'take' | 'hold' | 'retry' | 'fail'
  drop?: 'let-go' | 'prune-next' | 'pin' | 'prune' | 'shed'
  why?: string # Printed wherever the rule decides.
texts = string | [string]
audit
  expect?: [string] # Drivers whose releases may stay theirs.
";
