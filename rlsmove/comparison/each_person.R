# Reads nights.csv and sequences.csv from its own folder: Rscript analysis.R [FOLDER]
# Base R alone. Prints a row for each person: ratio of massage over control and two-sided p from
# redrawing the assignments that the scheme could have given. estimates.csv has the same two
# numbers as rlsmove found them.

folder <- c(commandArgs(trailingOnly = TRUE), ".")[1]
read <- function(name) read.csv(file.path(folder, name), na.strings = "n/a",
                                colClasses = c(sequence = "character", participant_id = "character",
                                               night = "character"), check.names = FALSE)
nights <- suppressWarnings(read("nights.csv"))
sequences <- suppressWarnings(read("sequences.csv"))
tie <- 1e-9

# Assignments of the nights that are compared, a row each; 1 massage, 0 control.
redrawn <- function(own) {
  listed <- sequences$sequence[sequences$set == own$sequence_set[1]]
  of_night <- vapply(own$place, function(i) as.numeric(substr(listed, i, i)),
                     numeric(length(listed)))
  matrix(of_night, nrow = length(listed))
}

both_tails <- function(z, observed, size) {
  limit <- tie * (1 + size)
  min(1, 2 * min(mean(z >= observed - limit), mean(z <= observed + limit)))
}

# Logarithms of the nights' rates, with a trend and nights that carry over into the next.
by_logarithms <- function(own, randomized) {
  y <- log((own$count + added_to_count) / own$hours)
  a <- own$massage
  inverse <- solve(carries_on^abs(outer(own$day, own$day, "-")))
  fixed <- cbind(rep(1, length(y)))
  if (randomized && length(y) > 2) fixed <- cbind(fixed, own$day - mean(own$day))
  m <- inverse - inverse %*% fixed %*% solve(t(fixed) %*% inverse %*% fixed, t(fixed) %*% inverse)
  information <- drop(a %*% m %*% a)
  if (information < tie) return(c(NA, NA))
  shift <- drop(a %*% m %*% y) / information
  if (!randomized) return(c(exp(shift), NA))
  s <- redrawn(own)
  root <- sqrt(pmax(rowSums((s %*% m) * s), 0))
  root[root < tie] <- 0
  per_root <- ifelse(root > 0, 1 / root, 0)
  z <- drop(s %*% m %*% y) * per_root
  along <- drop(s %*% m %*% a) * per_root
  observed <- drop(a %*% m %*% y) / sqrt(information)
  # The shift at which each assignment passes the one that was made gives the interval's ends.
  slower <- sqrt(information) - along
  never <- slower < tie * sqrt(information)
  crossing <- (observed - z) / ifelse(never, 1, slower)
  outside <- floor(alpha / 2 * length(z) + 1e-9)
  low <- sort(ifelse(never, -Inf, crossing))[outside + 1]
  high <- sort(ifelse(never, Inf, crossing), decreasing = TRUE)[outside + 1]
  c(exp(min(max(shift, low), high)), both_tails(z, observed, max(abs(y))))
}

# Few movements: the arms' sums, each night weighted by its hours.
by_sums <- function(own, randomized) {
  treated <- own$massage == 1
  rate <- function(arm) (sum(own$count[arm]) + added_to_sum) / sum(own$hours[arm])
  ratio <- rate(treated) / rate(!treated)
  if (!randomized) return(c(ratio, NA))
  weight <- sqrt(own$hours)
  level <- weight / sqrt(sum(weight^2))
  x <- (own$count + 2 * added_to_sum * own$hours / sum(own$hours)) / weight
  score <- function(rows) {
    rows <- sweep(rows, 2, weight, "*")
    rows <- rows - (rows %*% level) %*% t(level)
    root <- sqrt(rowSums(rows^2))
    drop(rows %*% x) * ifelse(root > tie, 1 / root, 0)
  }
  c(ratio, both_tails(score(redrawn(own)), score(matrix(own$massage, 1)), max(own$count)))
}

one_person <- function(own) {
  randomized <- own$scheme[1] != "none"
  finished <- own$finished[1] == "yes"
  own <- own[own$compared == "yes", ]
  own <- own[order(own$day), ]
  found <- c(NA, NA)
  if (length(unique(own$massage)) == 2 && sum(own$count) >= fewest_movements) {
    few <- mean(own$count) < few_a_night
    found <- if (few) by_sums(own, randomized) else by_logarithms(own, randomized)
  }
  if (looks == "at_the_end" && !finished) found[2] <- NA # no test before the planned end
  data.frame(ratio = found[1], p = found[2])
}

names <- unique(nights$participant_id)
told <- do.call(rbind, lapply(names, function(name) {
  cbind(participant_id = name, one_person(nights[nights$participant_id == name, ]))
}))
write.csv(format(told, digits = 10), row.names = FALSE, quote = FALSE)
