extension JobScripts {
    /// The most times at which a counter remembers its charges exactly. From then on the charges of each six-hundredth
    /// of the window stand together at its end, so that none leaves the window early.
    static let exactSlots = 10_000

    /// Writes whole numbers as texts, for the two scripts below. Redis would do so for each number of a command. It
    /// takes longer, since its numbers may have decimals.
    static let numbers = """
        local function text_of(number) return string.format('%d', number) end

        """

    /// Rate limits with a sliding window, for the script that queues jobs. A charge of a job is the amount that it
    /// counts on one counter. Everything that may refuse a job is read before anything is written. A job counts on all
    /// its counters or on none. A counter is read once for all jobs of a batch, and written once, at its end.
    ///
    /// A limit is a table: the keys `slots` (a list: when something was counted, oldest first) and `amounts` (a hash:
    /// how much at each of these times and in `sum`, the `oldest` of them, and how many `slots` they are); `limit`,
    /// `window` in milliseconds; whether a job beyond it is refused (`enforced`), and whether a job's end corrects what
    /// it counted (`settled`). A job's charges are a list of limits, and a list of the amounts that it counts on them.
    static let rates = """
        local exact_slots = \(exactSlots)
        local counters, read_counters = {}, {}
        local now_text = text_of(now)

        -- Looks how many of a counter's slots the window has left behind, and for the oldest of the others.
        local function pass_over(counter, past)
            local size = 1
            while true do
                local slots = redis.call('LRANGE', counter.slots, counter.left, counter.left + size - 1)
                local gone = {}
                for _, slot in ipairs(slots) do
                    if tonumber(slot) > past then
                        counter.oldest = tonumber(slot)
                        break
                    end
                    gone[#gone + 1] = slot
                end
                if #gone > 0 then
                    for _, amount in ipairs(redis.call('HMGET', counter.amounts, unpack(gone))) do
                        counter.used = counter.used - (tonumber(amount) or 0)
                    end
                    counter.left = counter.left + #gone
                end
                if counter.oldest or #slots < size then break end
                size = 500
            end
            if not counter.oldest then counter.used, counter.here = 0, nil end
        end

        -- Reads what a counter holds, and decides where a charge of now stands.
        local function counter_of(limit)
            local counter = limit.counter or counters[limit.amounts]
            limit.counter = counter
            if counter then return counter end
            local window, past = limit.window, now - limit.window
            local kept = redis.call('HMGET', limit.amounts, 'sum', 'oldest', 'slots', now_text)
            counter = {
                slots = limit.slots, amounts = limit.amounts, window = window, left = 0, slot = now,
                slot_text = now_text, used = tonumber(kept[1] or 0), here = tonumber(kept[4] or nil)}
            local oldest = tonumber(kept[2] or 0)
            if oldest > past then counter.oldest = oldest else pass_over(counter, past) end
            -- Not told by what they hold: what was given back is 0.
            counter.size = tonumber(kept[3] or nil) or redis.call('LLEN', limit.slots)
            if counter.size >= exact_slots then
                local width = math.ceil(window / 600)
                counter.slot = math.ceil(now / width) * width
                counter.slot_text = text_of(counter.slot)
                counter.here = tonumber(redis.call('HGET', limit.amounts, counter.slot_text) or nil)
            end
            counter.is_new = not counter.here
            limit.counter, counters[limit.amounts] = counter, counter
            read_counters[#read_counters + 1] = counter
            return counter
        end

        -- Takes what the window has left behind away. What the counter holds of the window stays.
        local function forget(counter)
            if not counter.oldest then
                redis.pcall('DEL', counter.slots, counter.amounts)
                counter.left, counter.size = 0, 0
                return
            end
            counter.size = counter.size - counter.left
            while counter.left > 0 do
                local slots = redis.pcall('LPOP', counter.slots, math.min(counter.left, 500))
                if not slots or slots.err then break end
                redis.pcall('HDEL', counter.amounts, unpack(slots))
                counter.left = counter.left - #slots
            end
            counter.left = 0
            redis.pcall(
                'HSET', counter.amounts, 'sum', text_of(counter.used), 'oldest', text_of(counter.oldest), 'slots',
                text_of(counter.size))
        end

        -- What lives two windows and is renewed when something has left one outlives what it holds.
        local function renew(counter)
            redis.pcall('PEXPIRE', counter.slots, 2 * counter.window)
            redis.pcall('PEXPIRE', counter.amounts, 2 * counter.window)
        end

        -- Writes what jobs were counted for.
        local function write(counter)
            if not counter.counts then return end
            local renews = counter.left > 0 or not counter.oldest
            if renews then forget(counter) end
            counter.oldest = counter.oldest or counter.slot
            if counter.is_new then
                redis.pcall('RPUSH', counter.slots, counter.slot_text)
                counter.size = counter.size + 1
            end
            redis.pcall(
                'HSET', counter.amounts, 'sum', text_of(counter.used), 'oldest', text_of(counter.oldest), 'slots',
                text_of(counter.size), counter.slot_text, text_of(counter.here))
            if renews then renew(counter) end
            counter.counts, counter.is_new = false, false
        end

        local function write_counters()
            for _, counter in ipairs(read_counters) do write(counter) end
        end

        -- Milliseconds until so much has left the window that the charge fits.
        local function opens_in(limit, amount)
            local counter = limit.counter
            write(counter)
            local excess, place = counter.used + amount - limit.limit, counter.left
            while true do
                local slots = redis.call('LRANGE', counter.slots, place, place + 499)
                if #slots == 0 then return counter.window end
                for index, amount in ipairs(redis.call('HMGET', counter.amounts, unpack(slots))) do
                    excess = excess - (tonumber(amount) or 0)
                    if excess <= 0 then return slots[index] + counter.window - now end
                end
                place = place + #slots
            end
        end

        -- Nothing, or the refusal: for the first charge that is over its limit, until all of them fit. What was looked
        -- through for it is not looked through again for the next.
        local function over_limit(limits, counts)
            local first, reset = nil, 0
            for index = 1, #counts do
                local limit = limits[index]
                if counter_of(limit).used + counts[index] > limit.limit and limit.enforced then
                    first = first or index
                    reset = math.max(reset, opens_in(limit, counts[index]))
                end
            end
            if not first then return end
            for _, limit in ipairs(limits) do
                if limit.counter.left > 0 then
                    forget(limit.counter)
                    renew(limit.counter)
                end
            end
            return {-7, first, limits[first].counter.used, reset}
        end

        -- Counts a job that is queued.
        local function count_all(limits, counts)
            for index = 1, #counts do
                local counter, amount = limits[index].counter, counts[index]
                counter.used, counter.here = counter.used + amount, (counter.here or 0) + amount
                counter.counts = true
            end
        end

        -- For each limit what its counter holds, milliseconds until it holds less, and at which time the charges of now
        -- stand there. The last two are the same for all jobs of a batch. What the counter held after each of them
        -- follows from their amounts.
        local function usage_of(limits)
            local usage = {}
            for index, limit in ipairs(limits) do
                local counter, place = limit.counter, 3 * index
                usage[place - 2], usage[place - 1], usage[place] = 0, 0, 0
                if counter then
                    usage[place - 2], usage[place] = counter.used, counter.slot
                    usage[place - 1] = (counter.oldest or counter.slot) + counter.window - now
                end
            end
            return usage
        end

        """

    /// Corrects the charges of jobs, for the script that ends them: each counter once, for all jobs of a batch. A
    /// charge that has left the window no longer counts.
    static let settling = """
        local corrections, corrected = {}, {}

        local function correct(amounts, slot, difference)
            local of_counter = corrections[amounts]
            if not of_counter then
                of_counter = {slots = {}}
                corrections[amounts], corrected[#corrected + 1] = of_counter, amounts
            end
            if not of_counter[slot] then of_counter.slots[#of_counter.slots + 1] = slot end
            of_counter[slot] = (of_counter[slot] or 0) + difference
        end

        local function settle()
            for _, amounts in ipairs(corrected) do
                local of_counter = corrections[amounts]
                local kept = redis.pcall('HMGET', amounts, 'sum', unpack(of_counter.slots))
                local sum, fields = not kept.err and tonumber(kept[1]) or 0, {}
                for index, slot in ipairs(of_counter.slots) do
                    if not kept.err and kept[index + 1] then
                        sum = sum + of_counter[slot]
                        fields[#fields + 1] = slot
                        fields[#fields + 1] = text_of((tonumber(kept[index + 1]) or 0) + of_counter[slot])
                    end
                end
                if #fields > 0 then redis.pcall('HSET', amounts, 'sum', text_of(sum), unpack(fields)) end
            end
        end

        """
}
