//! What fleet.toml and a playbook hold.

/// Their sections; `tests` compares them with those that the readers take.
pub(super) const TABLE: &str = r"
Fleet # A fleet needs only [fleet] name and one [[clusters]].
  fleet: fleet
  clusters: [clusters]1+
  limits?: limits
  waves?: waves
  undo?: undo
  plan?: plan
  windows?: {name: windows.NAME} # When releases may be begun.
  freezes?: {name: freezes.NAME} # When nothing is written.
  budget?: budget
  gates?: {name: gates.NAME | 'off'} # What must hold after a wave; off switches a playbook's off.
  peers?: [peers] # Never in one wave.
  risk?: risk
  cost?: cost
  depends?: [depends] # Declared order among releases.
  graph?: graph
  policy?: [policy] # The first rule that matches decides.
  seal?: seal
  audit?: audit
Playbook # How a fleet is moved, not what it is.
  summary: text # One line.
  when: text # For which fleets, in one line.
  texts?: texts
  waves?: waves
  risk?: risk
  gates?: {name: gates.NAME | 'off'} # What must hold after a wave.
  budget?: budget
  limits?: limits
texts # Templates that people read.
  plan?: text
  approve?: text
  failed?: text
  done?: text
fleet # The fleet as a whole.
  name: name
  deadline?: date # Default: the end of Helm v3's security fixes.
  timezone?: filled # IANA name, for times without a zone.
  manager?: text # One field manager everywhere.
  aliases?: [text] # Globs of older names of the same owner.
  state?: text # The journal, relative to this file.
  playbook?: text # What refit playbook list shows; keys of this file override it.
  mode?: 'adopt' | 'enforce' # enforce: after all rules take every conflict and prune every drop.
clusters # Contexts of a kubeconfig: either context or contexts.
  name?: name # Goes with context.
  context?: text
  contexts?: text # A glob.
  kubeconfig?: text # Relative to this file.
  labels?: {string}
  limits?: clusters.limits
  windows?: [text] # Names under [windows].
  timezone?: filled
  tenant?: text # The label tenant.
  either context name? | contexts
clusters.limits
  writes_per_second?: 1..10000
  in_flight?: 1..10000 # Releases at once.
limits # Defaults of clusters, and the fleet's bound.
  writes_per_second?: 1..10000 # The whole fleet.
  cluster_writes_per_second?: 1..10000 # Each cluster without limits of its own.
  in_flight?: 1..10000 # Releases at once, for each such cluster.
seal # For values that policies change: without a key they are held.
  key_file?: filled # 32 random bytes in base64.
undo
  dwell?: duration # How long an undo's lock stays: 30s.
plan
  start_within?: duration # A plan is refused once it is older: 168h.
waves # One of sizes, doubling, shares, stages.
  sizes?: sizes # Releases, or percent of all; the last repeats.
  doubling?: 1..1000000 # Size of the first; each has twice as many as the one before.
  shares?: [percent]1+ # By the release's name alone: a new release moves nobody.
  stages?: [waves.stages] # A release belongs to the first that takes it.
  canary?: 'none' | 'coverage' | waves.canary
  caps?: {cap: 1..1000000} # releases_per_X or clusters_per_X; X is wave, cluster, namespace, chart, release or a label.
  soak?: duration | {duration} # How long a wave is watched: one time, or by all, prod, nonprod, or a selector.
  approve?: [text] # Globs of waves that somebody other than the author approves.
  lanes?: text # fleet, cluster, or a label: each waits for its own waves only.
  held_dependency?: 'go-on' | 'hold' # hold: who needs a held release is held too.
  seed?: 0..4294967295 # Another number cuts the same fleet another way.
  either sizes? | doubling? | shares? | stages?
waves.stages
  name: name
  select?: text # Labels of the release, then of its cluster.
  sizes?: sizes
  doubling?: 1..1000000
  shares?: [percent]1+
  either sizes? | doubling? | shares?
waves.canary # The fewest releases that show every signature.
  select?: text
  max_risk?: 0..1000
  max_releases?: 1..1000000
sizes = [1..1000000 | percent]1+
peers # Either sides, or group and side.
  name?: text
  sides?: [text]2+ # Selectors.
  group?: text
  side?: text
  either sides | group side
risk # How risk is counted and used.
  weights?: risk.weights
  tier_label?: text
  high?: 0..1000
  low?: 0..1000
  order?: 'low-first' | 'high-first'
  defer_low_until?: date
risk.weights # Most points of each part of the score.
  dependents?: 0..100
  replicas?: 0..100
  drift?: 0..100
  hooks?: 0..100
  age?: 0..100
  tiers?: {0..100} # By the value of the tier label.
cost # What a write takes, to foretell the calendar.
  millis_per_write?: 1..60000
  measured?: {1..60000} # By cluster.
windows.NAME # Either days, from and to, or cron and for.
  days?: text # Mon-Fri
  from?: clock
  to?: clock
  cron?: text
  for?: duration
  timezone?: filled # cluster, or an IANA name.
  either days from to | cron for
freezes.NAME # The last day is included.
  from: date
  to: date
  timezone?: filled
  select?: text # Labels of clusters.
gates.NAME
  check?: 'health' | 'conflict-rate' | 'ownership' | 'http' | 'prometheus' | 'command' | 'plugin'
  after?: [text] # Globs of waves; all if absent.
  within?: duration
  at_most?: rate
  url?: url
  status?: 100..599
  query?: text
  argv?: [string]1+
  timeout?: duration
  plugin?: text
  either check=health within? | check=conflict-rate at_most? | check=ownership | check=http url? status? | check=prometheus url? query? | check=command argv? timeout? | check=plugin plugin? | within? at_most? url? status? query? argv? timeout? plugin?
budget # Per wave; without a bound if absent.
  failed?: 0..1000000
  undone?: 0..1000000
  conflict_rate?: rate
  spent?: 'stop' | 'undo-cluster' | 'undo-wave'
depends # These wait for those: globs over cluster/namespace/name.
  release: release # Who waits.
  on: release # For whom.
graph
  cut_inferred?: bool # A cycle is cut at its weakest inferred edge instead of being refused.
policy # Either conflict or drop.
  kind?: texts-or-text
  field?: texts-or-text
  owner?: texts-or-text
  namespace?: texts-or-text
  labels?: {string}
  chart?: texts-or-text
  conflict?: 'adopt-live' | 'yield' | 'take' | 'hold' | 'retry' | 'fail'
  drop?: 'let-go' | 'prune-next' | 'pin' | 'prune' | 'shed'
  why?: text # Printed wherever the rule decides.
  either conflict | drop
texts-or-text = filled | [filled]1+
audit
  expect?: [text] # Drivers whose releases may stay theirs.
";

/// Keys of a gate in fleet.toml: any of them may be the playbook's below it.
const OVER: &str = "  either check=health within? | check=conflict-rate at_most? | check=ownership | check=http url? status? | check=prometheus url? query? | check=command argv? timeout? | check=plugin plugin? | within? at_most? url? status? query? argv? timeout? plugin?";

/// Keys of a gate in a playbook: nothing lies below it but defaults, which have no gates.
const ALONE: &str = "  either check=health within? | check=conflict-rate at_most | check=ownership | check=http url status? | check=prometheus url query | check=command argv timeout? | check=plugin plugin";

/// The table for playbooks.
pub(super) fn of_playbooks() -> String {
    assert!(TABLE.contains(OVER), "the line of a gate is another");
    TABLE
        .replace(OVER, ALONE)
        .replace("  check?: ", "  check: ")
}
