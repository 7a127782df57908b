;; FastCDC 2020: where the next chunk ends.
;;
;; Source: Wen Xia et al., "The Design of Fast Content-Defined Chunking for Data Deduplication Based Storage Systems",
;; IEEE TPDS 2020, in the variant that the Remote Execution API calls FAST_CDC_2020: a 64-bit gear hash that takes two
;; bytes a step.
;;
;; Memory: gear table at 0 (256 x u64), the same shifted left by one at 2,048, file data from 65,536. The caller writes
;; all three; this module only reads.
(module
  (memory (export "memory") 1)

  (global $minBytes (mut i32) (i32.const 0))
  (global $averageBytes (mut i32) (i32.const 0))
  (global $maxBytes (mut i32) (i32.const 0))
  (global $maskSmall (mut i64) (i64.const 0))
  (global $maskLarge (mut i64) (i64.const 0))
  ;; The rolling hash, kept between the two calls of $scan for one chunk.
  (global $hash (mut i64) (i64.const 0))

  (func (export "configure")
    (param $minBytes i32) (param $averageBytes i32) (param $maxBytes i32)
    (param $maskSmall i64) (param $maskLarge i64)
    (global.set $minBytes (local.get $minBytes))
    (global.set $averageBytes (local.get $averageBytes))
    (global.set $maxBytes (local.get $maxBytes))
    (global.set $maskSmall (local.get $maskSmall))
    (global.set $maskLarge (local.get $maskLarge)))

  ;; The address of the first cut in [$at, $end), or 0. $end - $at is even: pairs are counted from the chunk's start.
  (func $scan (param $at i32) (param $end i32) (param $mask i64) (result i32)
    (local $hash i64)
    (local $before i64)
    (local $maskEven i64)
    (local.set $hash (global.get $hash))
    (local.set $maskEven (i64.shl (local.get $mask) (i64.const 1)))

    ;; Eight pairs a round. A round with a cut in it is left as it was entered, and gone through again pair by pair.
    (block $careful
      (loop $round
        (local.set $before (local.get $hash))
        (br_if $careful (i32.gt_u (i32.add (local.get $at) (i32.const 16)) (local.get $end)))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=2 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=3 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=4 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=5 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=6 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=7 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=8 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=9 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=10 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=11 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=12 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=13 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u offset=14 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $maskEven))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=15 (local.get $at)) (i32.const 3)))))
        (br_if $careful (i64.eqz (i64.and (local.get $hash) (local.get $mask))))

        (local.set $at (i32.add (local.get $at) (i32.const 16)))
        (br $round)))
    (local.set $hash (local.get $before))

    (block $done
      (loop $pair
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $hash (i64.add (i64.shl (local.get $hash) (i64.const 2))
          (i64.load offset=2048 (i32.shl (i32.load8_u (local.get $at)) (i32.const 3)))))
        (if (i64.eqz (i64.and (local.get $hash) (local.get $maskEven)))
          (then (return (local.get $at))))
        (local.set $hash (i64.add (local.get $hash)
          (i64.load (i32.shl (i32.load8_u offset=1 (local.get $at)) (i32.const 3)))))
        (if (i64.eqz (i64.and (local.get $hash) (local.get $mask)))
          (then (return (i32.add (local.get $at) (i32.const 1)))))
        (local.set $at (i32.add (local.get $at) (i32.const 2)))
        (br $pair)))
    (global.set $hash (local.get $hash))
    (i32.const 0))

  ;; Bytes of the chunk that begins at address $start, of which $remaining bytes are in memory. Where $more is not 0 the
  ;; file goes on behind them, and 0 means: the cut does not depend on these bytes alone.
  (func (export "cut") (param $start i32) (param $remaining i32) (param $more i32) (result i32)
    (local $window i32)
    (local $center i32)
    (local $found i32)
    (if (i32.le_u (local.get $remaining) (global.get $minBytes))
      (then (return (select (i32.const 0) (local.get $remaining) (local.get $more)))))
    (local.set $window
      (select (local.get $remaining) (global.get $maxBytes)
        (i32.lt_u (local.get $remaining) (global.get $maxBytes))))
    (local.set $center
      (select (local.get $window) (global.get $averageBytes)
        (i32.lt_u (local.get $window) (global.get $averageBytes))))

    (global.set $hash (i64.const 0))
    (local.set $found
      (call $scan
        (i32.add (local.get $start) (i32.and (global.get $minBytes) (i32.const -2)))
        (i32.add (local.get $start) (i32.and (local.get $center) (i32.const -2)))
        (global.get $maskSmall)))
    (if (local.get $found)
      (then (return (i32.sub (local.get $found) (local.get $start)))))
    (local.set $found
      (call $scan
        (i32.add (local.get $start) (i32.and (local.get $center) (i32.const -2)))
        (i32.add (local.get $start) (i32.and (local.get $window) (i32.const -2)))
        (global.get $maskLarge)))
    (if (local.get $found)
      (then (return (i32.sub (local.get $found) (local.get $start)))))
    (select (i32.const 0) (local.get $window)
      (i32.and (i32.ne (local.get $more) (i32.const 0))
        (i32.lt_u (local.get $remaining) (global.get $maxBytes))))))
